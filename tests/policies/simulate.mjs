// Judges requests with the policy engine of @cloud-copilot/iam-simulate: a JSON list of simulations comes in
// on standard input, and one verdict for each goes out on standard output.
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { text } from "node:stream/consumers";

const verdicts = [];
for (const simulation of JSON.parse(await text(process.stdin))) {
  const answer = await runSimulation(simulation, {});
  verdicts.push(
    answer.resultType === "single"
      ? { verdict: answer.overallResult, ignored: answer.result.ignoredContextKeys }
      : { verdict: JSON.stringify(answer.errors ?? answer), ignored: [] },
  );
}
process.stdout.write(JSON.stringify(verdicts));
