// AWS SDK for JavaScript v3, eight requests of 500 in flight: node sdk_in_flight.mjs RECORDS
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const MAX = 500, IN_FLIGHT = 8, KEYS = 10000, BYTES = 800, PREPARED = 40;
// Its default is HTTP/2, which the stand-in does not speak; HTTP/1.1 costs it less, too.
const client = new KinesisClient({ requestHandler: new NodeHttpHandler() });
const prepared = Array.from({ length: PREPARED }, () => Array.from({ length: MAX }, () => ({
  Data: randomBytes(BYTES),
  PartitionKey: `user-${String(Math.floor(Math.random() * KEYS)).padStart(6, "0")}`,
})));

async function deliver(count) {
  let number = 0;
  async function oneAfterTheOther() {
    while (number < count / MAX) {
      const Records = prepared[number++ % PREPARED];
      const answer = await client.send(new PutRecordsCommand({ StreamName: "events", Records }));
      if (answer.FailedRecordCount) throw new Error("records failed");
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, oneAfterTheOther));
}

await deliver(40 * MAX); // warms its compiler, too
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  await deliver(Number(process.argv[2]));
  console.log("done");
}
