// AWS SDK for JavaScript v3, eight requests of 500 in flight, of which what failed is sent again until nothing fails:
// node sdk_resend.mjs RECORDS KEYS [OVERSIZE]
import { setTimeout } from "node:timers/promises";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const MAX = 500, IN_FLIGHT = 8, PAUSE = 100, BYTES = 800, TOO_LARGE = 1200000;
const [records, keys, oversize = -1] = process.argv.slice(2).map(Number);
// Its default is HTTP/2, which the fake does not speak.
const client = new KinesisClient({ requestHandler: new NodeHttpHandler() });
let next = 0;

function numbered() {
  const number = next++;
  const Data = Buffer.from(String(number).padEnd(number === oversize ? TOO_LARGE : BYTES));
  return { Data, PartitionKey: `user-${String(Math.floor(Math.random() * keys)).padStart(6, "0")}` };
}

async function oneAfterTheOther() {
  while (next < records) {
    let left = Array.from({ length: Math.min(MAX, records - next) }, numbered);
    while (left.length) {
      const answer = await client.send(new PutRecordsCommand({ StreamName: "events", Records: left }));
      left = left.filter((_, index) => answer.Records[index].ErrorCode);
      if (left.length) await setTimeout(PAUSE);
    }
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, oneAfterTheOther));
