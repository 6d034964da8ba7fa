"""A fake Kinesis for tests: exact where Kinesis is exact, and failing where it is told to.

    with FakeKinesis(streams={"events": 4}) as kinesis:
        client = boto3.client("kinesis", endpoint_url=kinesis.url, region_name="us-west-2")
        kinesis.faults.add(FailRecords(code="InternalFailure", probability=0.1))
        ...
        assert not kinesis.ledger.duplicates()

docs/testing.md tells all of it.
"""

from headgate.testing.buckets import UNLIMITED, Limits
from headgate.testing.fake import FakeKinesis
from headgate.testing.faults import (
    ActiveFault,
    CutAnswer,
    Delay,
    FailRecords,
    FailRequests,
    Faults,
    HangConnection,
    Outage,
    RecordFacts,
    ResetConnection,
)
from headgate.testing.identities import Identities, Simulated
from headgate.testing.ledger import AcceptedRecord, Ledger, LoggedRequest, ShardTotals

fake_kinesis = FakeKinesis
"""The same, for those who prefer a context manager to read like a function."""

__all__ = [
    "UNLIMITED",
    "AcceptedRecord",
    "ActiveFault",
    "CutAnswer",
    "Delay",
    "FailRecords",
    "FailRequests",
    "FakeKinesis",
    "Faults",
    "HangConnection",
    "Identities",
    "Ledger",
    "Limits",
    "LoggedRequest",
    "Outage",
    "RecordFacts",
    "ResetConnection",
    "ShardTotals",
    "Simulated",
    "fake_kinesis",
]
