"""boto3, one request of 500 after the other, of which what failed is sent again until nothing fails.

`python -m bench.peers.boto3_resend RECORDS KEYS [OVERSIZE]`. It is the loop that is written everywhere, with
a pause before records are sent again.
"""

import sys
import time
from itertools import islice
from typing import Any

import boto3

from bench.losses.records import numbered

MAX = 500
PAUSE = 0.1


def deliver(client: Any, records: int, keys: int, oversize: int = -1) -> None:
    source = numbered(keys, records, oversize)
    while left := [{"PartitionKey": key, "Data": data} for key, data in islice(source, MAX)]:
        while left:
            answer = client.put_records(StreamName="events", Records=left)
            if not answer["FailedRecordCount"]:
                break
            verdicts = zip(left, answer["Records"], strict=True)
            left = [entry for entry, verdict in verdicts if "ErrorCode" in verdict]
            time.sleep(PAUSE)


if __name__ == "__main__":
    deliver(boto3.client("kinesis"), *map(int, sys.argv[1:]))
