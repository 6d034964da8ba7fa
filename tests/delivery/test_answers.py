import json

import pytest

from headgate.delivery.answers import Entry, Fault, Verdict, judge, read


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("ProvisionedThroughputExceededException", Verdict.RETRY),
        ("InternalFailure", Verdict.RETRY),
        ("KMSThrottlingException", Verdict.RETRY),
        ("LimitExceededException", Verdict.RETRY),
        ("NeverHeardOf", Verdict.RETRY),
        ("ExpiredTokenException", Verdict.REFRESH),
        ("UnrecognizedClientException", Verdict.REFRESH),
        ("ResourceNotFoundException", Verdict.PAUSE),
        ("AccessDeniedException", Verdict.PAUSE),
        ("KMSAccessDeniedException", Verdict.PAUSE),
        ("KMSDisabledException", Verdict.PAUSE),
        ("ValidationException", Verdict.SPLIT),
        ("InvalidArgumentException", Verdict.SPLIT),
    ],
)
def test_each_code_asks_for_what_can_help(code: str, verdict: Verdict) -> None:
    assert judge(code) is verdict
    body = json.dumps({"__type": f"com.amazonaws.kinesis.v20131202#{code}", "message": "m\nn"}).encode()
    assert read(400, body, 1) == Fault(verdict, code, "m n")


def test_every_record_has_its_entry() -> None:
    entries = [{"SequenceNumber": "1", "ShardId": "s"}, {"ErrorCode": "InternalFailure", "ErrorMessage": "m"}]
    body = json.dumps({"FailedRecordCount": 1, "Records": entries}).encode()
    assert read(200, body, 2) == [Entry(None, "s"), Entry("InternalFailure", None)]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (502, b"<html>"), (200, b'{"Records":[]}'), (500, b"{}"), (503, b"")],
)
def test_an_answer_that_is_none_of_kinesis_is_worth_another_try(status: int, body: bytes) -> None:
    fault = read(status, body, 1)
    assert isinstance(fault, Fault)
    assert fault.verdict is Verdict.RETRY
