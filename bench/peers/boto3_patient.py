"""boto3_resend with patience: `python -m bench.peers.boto3_patient RECORDS KEYS [OVERSIZE]`.

A request that fails as a whole is sent again, too, unless Kinesis refuses it.
"""

import sys
import time
from itertools import islice
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from bench.losses.records import numbered
from bench.peers.boto3_resend import MAX, PAUSE

REFUSED = range(400, 500)
"""Statuses after which sending the same again is useless: the records are let go."""


def deliver(client: Any, records: int, keys: int, oversize: int = -1) -> None:
    source = numbered(keys, records, oversize)
    while left := [{"PartitionKey": key, "Data": data} for key, data in islice(source, MAX)]:
        while left:
            try:
                answer = client.put_records(StreamName="events", Records=left)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in REFUSED:
                    break
            except BotoCoreError:
                pass
            else:
                verdicts = zip(left, answer["Records"], strict=True)
                left = [entry for entry, verdict in verdicts if "ErrorCode" in verdict]
            time.sleep(PAUSE if left else 0)


if __name__ == "__main__":
    deliver(boto3.client("kinesis"), *map(int, sys.argv[1:]))
