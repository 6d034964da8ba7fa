"""boto3, one request of 500 after the other: `python -m bench.peers.boto3_loop RECORDS`."""

import sys
from typing import Any

import boto3

from bench.delivery.records import entries

MAX = 500


def deliver(client: Any, prepared: list[list[dict[str, Any]]], count: int) -> None:
    for number in range(count // MAX):
        answer = client.put_records(StreamName="events", Records=prepared[number % len(prepared)])
        assert not answer["FailedRecordCount"]


def main(count: int) -> None:
    client, prepared = boto3.client("kinesis"), entries(MAX)
    deliver(client, prepared, 10 * MAX)
    print("ready", flush=True)
    for _ in sys.stdin:
        deliver(client, prepared, count)
        print("done", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
