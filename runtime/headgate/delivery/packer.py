"""How many records one PutRecords request takes."""

from collections.abc import Iterable

from headgate.delivery.submission import Record

MAX_RECORDS = 500
"""Records in one PutRecords request (Kinesis API reference)."""
MAX_REQUEST_BYTES = 5 * 1024 * 1024
"""Data and partition keys of one request. Kinesis takes 10 MiB today; emulators still stop at 5."""


def pack(waiting: Iterable[Record]) -> list[Record]:
    """Return as many records from the front as one request may carry: at least one, where there is one."""
    request: list[Record] = []
    held = 0
    for record in waiting:
        held += record.size
        if request and (len(request) == MAX_RECORDS or held > MAX_REQUEST_BYTES):
            break
        request.append(record)
    return request
