"""Every error of a whole request, and what is to be done about it."""

import json

import cbor2
import pytest

from headgate.delivery.wire.faults import Fault, Verdict, judge
from headgate.delivery.wire.forms import not_understood, read_fault

CODES = {
    Verdict.THROTTLED: [
        *("ProvisionedThroughputExceededException", "LimitExceededException", "ThrottlingException"),
        *("Throttling", "KMSThrottlingException"),
    ],
    Verdict.REFRESH: [
        *("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException"),
    ],
    Verdict.PAUSE: [
        *("ResourceNotFoundException", "AccessDeniedException", "AccessDenied", "KMSAccessDeniedException"),
        *("KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired"),
    ],
    Verdict.SPLIT: ["InvalidArgumentException", "ValidationException", "SerializationException"],
    Verdict.RETRY: [
        *("InternalFailure", "InternalFailureException", "ServiceUnavailable", "UnknownOperationException"),
        *("NeverHeardOf", ""),
    ],
}


@pytest.mark.parametrize(
    ("code", "verdict"), [(code, verdict) for verdict, codes in CODES.items() for code in codes if code]
)
def test_each_code_asks_for_what_can_help_in_either_form_and_under_any_status(
    code: str, verdict: Verdict
) -> None:
    assert judge(code) is verdict
    error = {"__type": f"com.amazonaws.kinesis.v20131202#{code}", "message": "one\n two."}
    for body in (json.dumps(error).encode(), cbor2.dumps(error)):
        for status in (400, 403, 500):
            fault = read_fault(status, body)
            assert fault is not None
            assert (fault.verdict, fault.code, fault.sent) == (verdict, code, True)
            assert fault.message == "one two." or verdict is Verdict.THROTTLED


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_denied_action_is_told_from_a_denied_key(code: str) -> None:
    denied, key = (read_fault(400, json.dumps({"__type": each}).encode()) for each in (code, "KMS" + code))
    assert denied is not None
    assert denied.denied
    assert key is not None
    assert not key.denied


def test_the_text_of_a_throttle_does_not_name_the_account() -> None:
    said = "Rate exceeded for stream events under account 111122223333."
    fault = read_fault(400, json.dumps({"__type": "LimitExceededException", "message": said}).encode())
    assert fault is not None
    assert "111122223333" not in fault.message


@pytest.mark.parametrize(
    "said",
    [
        "1 validation error detected: Value 'jane@example.com' at 'partitionKey' failed to satisfy: length",
        "2 validation errors detected: Value '[Entry(key=jane@example.com, data=it's)]' at 'records' failed;"
        " Value 'jane@example.com' at 'x' failed",
        'the key "jane@example.com" is too long',
    ],
)
def test_the_text_of_an_invalid_record_does_not_quote_it(said: str) -> None:
    fault = read_fault(400, json.dumps({"__type": "ValidationException", "message": said}).encode())
    assert fault is not None
    assert "jane" not in fault.message
    assert "'...'" in fault.message


def test_a_long_text_is_cut() -> None:
    fault = read_fault(400, json.dumps({"__type": "InternalFailure", "message": "m" * 5000}).encode())
    assert fault is not None
    assert len(fault.message) == 300


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b'{"error":"x"}', b"[]", b"\xa0", cbor2.dumps({"message": "x"})]
)
def test_what_names_no_code_is_none_of_kinesis(body: bytes) -> None:
    assert read_fault(400, body) is None


@pytest.mark.parametrize("body", [b"{}", b"\xa0", b'{"message":null}'])
def test_a_failure_of_the_service_needs_no_code(body: bytes) -> None:
    assert read_fault(500, body) == Fault(Verdict.RETRY, "HTTP500", "")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (413, Verdict.SPLIT),
        (415, Verdict.PAUSE),
        (429, Verdict.THROTTLED),
        (502, Verdict.RETRY),
        (200, Verdict.RETRY),
    ],
)
def test_an_answer_that_is_none_of_kinesis_is_judged_by_its_status(status: int, verdict: Verdict) -> None:
    fault = not_understood(status)
    assert (fault.verdict, fault.code) == (verdict, f"HTTP{status}")
