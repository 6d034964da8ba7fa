// Judges requests with the policy engine of @cloud-copilot/iam-simulate: a JSON list of simulations comes in
// on standard input, and one verdict for each goes out on standard output, with the statements that decided.
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { text } from "node:stream/consumers";

// [policy, index] of each statement that applied, allow or deny; a resource policy has no name in the engine.
const applied = (analysis) =>
  [...(analysis?.allowStatements ?? []), ...(analysis?.denyStatements ?? [])].map((one) => [
    one.policyId ?? null,
    one.statement.index() - 1,
  ]);

const verdicts = [];
for (const simulation of JSON.parse(await text(process.stdin))) {
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === "single") {
    const { analysis, ignoredContextKeys } = answer.result;
    verdicts.push({
      verdict: answer.overallResult,
      ignored: ignoredContextKeys,
      applied: [analysis.identityAnalysis, analysis.resourceAnalysis, analysis.endpointAnalysis].flatMap(applied),
    });
  } else {
    verdicts.push({ verdict: JSON.stringify(answer.errors ?? answer), ignored: [], applied: [] });
  }
}
process.stdout.write(JSON.stringify(verdicts));
