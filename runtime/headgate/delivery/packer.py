"""How many records one PutRecords request takes."""

from collections import deque

from headgate.delivery.submission import Record

MAX_RECORDS = 500
"""Records in one PutRecords request (Kinesis API reference)."""
MAX_REQUEST_BYTES = 5 * 1024 * 1024
"""Data and partition keys of one request. Kinesis takes 10 MiB today; emulators still stop at 5."""


def pack(waiting: deque[Record], *, at_most: int = MAX_RECORDS, strict: bool = False) -> list[Record]:
    """Take as many records off the front of `waiting` as one request may carry: one at least.

    Args:
        waiting: the queue, oldest first; what stays keeps its order.
        at_most: records in the request, up to Kinesis' own limit.
        strict: take at most one record of a partition key, because inside one request Kinesis gives no order.
    """
    request: list[Record] = []
    held_back: list[Record] = []
    keys: set[str] = set()
    size = 0
    while waiting and len(request) < at_most:
        record = waiting[0]
        if request and size + record.size > MAX_REQUEST_BYTES:
            break
        waiting.popleft()
        if strict and record.partition_key in keys:
            held_back.append(record)
            continue
        keys.add(record.partition_key)
        size += record.size
        request.append(record)
    waiting.extendleft(reversed(held_back))
    return request
