"""STS and IAM as boto3 meets them: roles, External IDs, credentials that expire, simulations."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headgate.testing import FailRequests, FakeKinesis, Simulated
from tests.clock import Clock
from tests.testing.asking import Connection, boto3_client, headers, signed

ROLE = "arn:aws:iam::874699288871:role/segment/writer"


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000.0)


@pytest.fixture
def kinesis(clock: Clock) -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 1}, clock=clock) as kinesis:
        yield kinesis


def assume(kinesis: FakeKinesis, role: str = ROLE, **more: Any) -> dict[str, Any]:
    answer = boto3_client(kinesis, "sts").assume_role(RoleArn=role, RoleSessionName="headgate", **more)
    return dict(answer["Credentials"])


def as_(kinesis: FakeKinesis, given: dict[str, Any], service: str = "kinesis") -> Any:
    return boto3_client(
        kinesis,
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def put(client: Any) -> str:
    """Return `accepted`, or the code of the error."""
    try:
        client.put_record(StreamName="events", Data=b"{}", PartitionKey="u1")
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "accepted"


def refused(kinesis: FakeKinesis, **more: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        assume(kinesis, **more)
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_without_roles_any_key_is_good_and_any_role_is_given(kinesis: FakeKinesis) -> None:
    assert put(boto3_client(kinesis)) == "accepted"
    assert put(as_(kinesis, assume(kinesis))) == "accepted"
    assert kinesis.ledger.calls["AssumeRole"] == 1


def test_a_role_is_given_for_its_external_ids_alone(kinesis: FakeKinesis) -> None:
    kinesis.identities.add_role(ROLE, external_ids={"source-1", "source-2"})
    assert put(as_(kinesis, assume(kinesis, ExternalId="source-2"))) == "accepted"
    assert refused(kinesis, ExternalId="source-3") == ("AccessDenied", 403)
    assert refused(kinesis) == ("AccessDenied", 403)
    assert refused(kinesis, role=ROLE + "s", ExternalId="source-1") == ("AccessDenied", 403)
    kinesis.identities.add_role(ROLE)
    assert put(as_(kinesis, assume(kinesis))) == "accepted"
    assert kinesis.ledger.calls["AssumeRole"] == 5
    assert kinesis.ledger.errors["AccessDenied"] == 3


def test_a_role_may_refuse_and_trust_again(kinesis: FakeKinesis) -> None:
    kinesis.identities.add_role(ROLE, external_ids=["source-1"])
    given = assume(kinesis, ExternalId="source-1")
    kinesis.identities.distrust(ROLE)
    assert refused(kinesis, ExternalId="source-1") == ("AccessDenied", 403)
    assert put(as_(kinesis, given)) == "accepted"
    kinesis.identities.trust(ROLE)
    assert assume(kinesis, ExternalId="source-1")["AccessKeyId"] != given["AccessKeyId"]


def test_once_there_are_roles_other_keys_are_not_good(kinesis: FakeKinesis) -> None:
    kinesis.identities.add_role(ROLE, actions={"PutRecord"})
    assert put(boto3_client(kinesis)) == "AccessDeniedException"
    assert put(boto3_client(kinesis, aws_access_key_id="ASIAUNKNOWN")) == "UnrecognizedClientException"
    kinesis.identities.allow_key("AKIATEST")
    assert put(boto3_client(kinesis)) == "accepted"
    given = assume(kinesis)
    assert put(as_(kinesis, given)) == "accepted"
    assert put(as_(kinesis, given | {"SessionToken": "another"})) == "UnrecognizedClientException"
    with pytest.raises(ClientError, match=r"assumed-role/writer/headgate is not authorized .*ListShards"):
        as_(kinesis, given).list_shards(StreamName="events")


def test_credentials_expire_by_the_clock(kinesis: FakeKinesis, clock: Clock) -> None:
    given = assume(kinesis, DurationSeconds=900)
    assert given["Expiration"] == datetime.fromtimestamp(clock.now + 900, UTC)
    clock.now += 899
    assert put(as_(kinesis, given)) == "accepted"
    clock.now += 1
    assert put(as_(kinesis, given)) == "ExpiredTokenException"
    with pytest.raises(ClientError, match="ExpiredToken"):
        as_(kinesis, given, "sts").get_caller_identity()


def test_credentials_expire_by_command_and_new_ones_are_good(kinesis: FakeKinesis) -> None:
    given = assume(kinesis)
    kinesis.identities.expire_tokens()
    assert put(as_(kinesis, given)) == "ExpiredTokenException"
    assert put(as_(kinesis, assume(kinesis))) == "accepted"


def test_a_lifetime_can_be_scripted(kinesis: FakeKinesis, clock: Clock) -> None:
    kinesis.identities.lifetime = 3
    given = assume(kinesis, DurationSeconds=3600)
    assert given["Expiration"] == datetime.fromtimestamp(clock.now + 3, UTC)
    clock.now += 3
    assert put(as_(kinesis, given)) == "ExpiredTokenException"


def test_sts_validates_as_sts_does(kinesis: FakeKinesis) -> None:
    assert refused(kinesis, role="arn:aws:iam::1:role/too-short") == ("ValidationError", 400)
    role = f"Action=AssumeRole&RoleArn={ROLE}".encode()
    connection = Connection(kinesis)
    for authorization, body, code in [
        (None, b"Action=AssumeRole", "MissingAuthenticationToken"),
        (signed(service="sts"), b"Action=Nothing", "InvalidAction"),
        (signed(service="kinesis"), b"Action=GetCallerIdentity", "SignatureDoesNotMatch"),
        (signed(service="sts"), role, "ValidationError"),
        (signed(service="sts"), role + b"&RoleSessionName=me&DurationSeconds=899", "ValidationError"),
    ]:
        named = {} if authorization is None else {"Authorization": authorization}
        status, answered, answer = connection.send(body, named)
        assert (status, answered["Content-Type"]) == (400, "text/xml")
        assert f"<Code>{code}</Code>".encode() in answer
    connection.close()


def test_the_caller_is_told_who_it_is(kinesis: FakeKinesis) -> None:
    static = boto3_client(kinesis, "sts").get_caller_identity()
    assert (static["Account"], static["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/AKIATEST")
    assumed = as_(kinesis, assume(kinesis), "sts").get_caller_identity()
    assert assumed["Account"] == "874699288871"
    assert assumed["Arn"] == "arn:aws:sts::874699288871:assumed-role/writer/headgate"


def test_sts_fails_as_it_is_told(kinesis: FakeKinesis) -> None:
    with kinesis.faults.add(FailRequests("Throttling", operations=("AssumeRole",), times=1)):
        assert refused(kinesis) == ("Throttling", 400)
        assume(kinesis)


def test_a_simulation_is_denied_until_it_is_scripted(kinesis: FakeKinesis) -> None:
    iam = boto3_client(kinesis, "iam")
    asked = {
        "PolicySourceArn": ROLE,
        "ActionNames": ["kinesis:PutRecords", "kinesis:PutRecord", "kms:GenerateDataKey"],
        "ResourceArns": ["arn:aws:kinesis:us-west-2:123456789012:stream/events"],
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.simulate_principal_policy(**asked)
    kinesis.identities.simulate(
        {"kinesis:PutRecords": Simulated("implicitDeny", ("aws:SourceIp",)), "kinesis:PutRecord": "allowed"}
    )
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    assert [(one["EvalActionName"], one["EvalDecision"]) for one in results] == [
        ("kinesis:PutRecords", "implicitDeny"),
        ("kinesis:PutRecord", "allowed"),
        ("kms:GenerateDataKey", "implicitDeny"),
    ]
    [specific] = results[0]["ResourceSpecificResults"]
    assert specific["EvalResourceName"] == asked["ResourceArns"][0]
    assert specific["EvalResourceDecision"] == "implicitDeny"
    assert results[0]["MissingContextValues"] == ["aws:SourceIp"]
    assert "MissingContextValues" not in results[1] or not results[1]["MissingContextValues"]
    kinesis.identities.simulate(None)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.simulate_principal_policy(**asked)


def test_external_ids_are_a_collection(kinesis: FakeKinesis) -> None:
    with pytest.raises(TypeError, match="'source-1'"):
        kinesis.identities.add_role(ROLE, external_ids="source-1")


def test_the_key_that_signed_stands_in_the_ledger(kinesis: FakeKinesis) -> None:
    connection = Connection(kinesis)
    connection.send(b'{"StreamName":"events"}', headers("ListShards", authorization=signed("AKIAOTHER")))
    connection.close()
    assert [request.access_key for request in kinesis.ledger.requests()] == ["AKIAOTHER"]
