import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from constructs_lib import DestinationRole, EventStream, NetworkConditions, segment_principal

Resources = Callable[[str], list[dict[str, Any]]]
WRITER = "arn:aws:iam::595280932656:role/customer-kinesis-access"
SEGMENT_ROOT = "arn:aws:iam::595280932656:root"
STREAM_ARN = "arn:aws:kinesis:us-west-2:123456789012:stream/events"
OFFICE = NetworkConditions(source_addresses=["203.0.113.0/24"])


def make(scope: cdk.Stack, construct_id: str = "Role", /, **props: Any) -> DestinationRole:
    """A role with the least it takes, plus `props`."""
    stream = EventStream.from_stream_attributes(scope, f"{construct_id}Stream", stream_arn=STREAM_ARN)
    ids = {} if {"source_ids", "secret_ids"} & set(props) else {"source_ids": ["8kf3Qw2LpZ"]}
    return DestinationRole(scope, construct_id, **{"streams": [stream], **ids, **props})


def trust(resources: Resources) -> list[dict[str, Any]]:
    [role] = resources("AWS::IAM::Role")
    statements: list[dict[str, Any]] = role["AssumeRolePolicyDocument"]["Statement"]
    return statements


def test_segment_alone_is_trusted_and_only_with_the_source_id(stack: cdk.Stack, resources: Resources) -> None:
    make(stack)
    assert trust(resources) == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": WRITER},
            "Condition": {"StringEquals": {"sts:ExternalId": "8kf3Qw2LpZ"}},
        }
    ]


def test_several_ids_are_alternatives_in_one_statement(stack: cdk.Stack, resources: Resources) -> None:
    make(stack, secret_ids=["one", "two"], whole_account=True)
    [statement] = trust(resources)
    assert statement["Principal"] == {"AWS": SEGMENT_ROOT}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": ["one", "two"]}}


def test_a_task_role_may_be_trusted_in_place_of_segment(stack: cdk.Stack, resources: Resources) -> None:
    task_role = iam.Role.from_role_arn(stack, "Task", "arn:aws:iam::123456789012:role/forwarder")
    make(stack, principals=[task_role])
    [statement] = trust(resources)
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/forwarder"}


def test_principals_share_a_statement_unless_their_conditions_differ(
    stack: cdk.Stack, resources: Resources
) -> None:
    make(
        stack,
        source_ids=["aa", "bb"],
        principals=[
            segment_principal(),
            iam.AccountPrincipal("123456789012"),
            iam.OrganizationPrincipal("o-1234567890"),
            segment_principal(),
        ],
    )
    ids = {"sts:ExternalId": ["aa", "bb"]}
    assert [(statement["Principal"], statement["Condition"]) for statement in trust(resources)] == [
        ({"AWS": ["arn:aws:iam::123456789012:root", WRITER]}, {"StringEquals": ids}),
        ({"AWS": "*"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"} | ids}),
    ]


def test_name_path_and_boundary_reach_role_and_policy(stack: cdk.Stack, resources: Resources) -> None:
    boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "B", "arn:aws:iam::123456789012:policy/edge")
    make(stack, role_name="segment-writer", path="/writers/", permissions_boundary=boundary)
    [role] = resources("AWS::IAM::Role")
    assert (role["RoleName"], role["Path"]) == ("segment-writer", "/writers/")
    assert role["PermissionsBoundary"] == "arn:aws:iam::123456789012:policy/edge"
    [policy] = resources("AWS::IAM::ManagedPolicy")
    assert policy["Path"] == "/writers/"


def test_a_secret_id_from_secrets_manager_is_a_reference_everywhere(
    stack: cdk.Stack, resources: Resources
) -> None:
    assert stack.node.try_get_context("@aws-cdk/core:checkSecretUsage")
    make(
        stack,
        secret_ids=[
            cdk.SecretValue.secrets_manager("segment", json_field="id"),
            cdk.SecretValue.secrets_manager("segment", json_field="id", version_id="v2"),
        ],
    )
    [statement] = trust(resources)
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == [
        "{{resolve:secretsmanager:segment:SecretString:id::}}",
        "{{resolve:secretsmanager:segment:SecretString:id::v2}}",
    ]


def test_a_secret_of_the_same_stack_is_referred_to(stack: cdk.Stack, resources: Resources) -> None:
    secret = secretsmanager.Secret(stack, "SecretId")
    make(stack, secret_ids=[secret.secret_value])
    [statement] = trust(resources)
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == {
        "Fn::Join": [
            "",
            ["{{resolve:secretsmanager:", {"Ref": "SecretIdFCA26824"}, ":SecretString:::}}"],
        ]
    }


def test_no_secret_id_stands_in_an_error(stack: cdk.Stack) -> None:
    for number, ids in enumerate([["pass word", "x"], ["hunter22", "hunter22"]]):
        with pytest.raises(ValueError, match="secret_ids") as raised:
            make(stack, f"Role{number}", secret_ids=ids)
        assert "pass" not in str(raised.value)
        assert "hunter" not in str(raised.value)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"source_ids": None}, "source_ids or secret_ids must be given"),
        ({"source_ids": []}, "source_ids: an empty list would let nobody in; give one ID or more"),
        ({"secret_ids": []}, "secret_ids: an empty list would let nobody in"),
        ({"source_ids": [""]}, r"source_ids\[0\]: '' is not allowed; an External ID must not be empty"),
        ({"source_ids": ["ab", "  "]}, r"source_ids\[1\]: '  ' is not allowed"),
        ({"source_ids": ["a"]}, r"source_ids\[0\]: 'a' is not allowed; an External ID is 2 to 1,224"),
        ({"source_ids": ["a b"]}, r"source_ids\[0\]: 'a b' is not allowed"),
        ({"source_ids": ["a*"]}, r"source_ids\[0\]: 'a\*' is not allowed"),
        ({"source_ids": ["é" * 3]}, r"source_ids\[0\]: 'ééé' is not allowed"),
        ({"source_ids": ["x" * 1225]}, "is not allowed; an External ID is 2 to 1,224"),
        ({"source_ids": [7]}, r"source_ids\[0\]: 7 is not allowed"),
        ({"source_ids": "abc"}, "source_ids: one text is not allowed; give a list of IDs"),
        ({"source_ids": ["ab", "cd", "ab"]}, r"source_ids\[2\]: 'ab' is given more than once"),
        ({"source_ids": ["ab"], "secret_ids": ["cd"]}, "source_ids and secret_ids cannot be given together"),
        ({"source_ids": [], "secret_ids": ["cd"]}, "source_ids and secret_ids cannot be given together"),
        (
            {"secret_ids": [cdk.SecretValue.unsafe_plain_text("abc")]},
            r"secret_ids\[0\]: this SecretValue is not from Secrets Manager",
        ),
        (
            {"secret_ids": [cdk.SecretValue.ssm_secure("/id", "1")]},
            r"secret_ids\[0\]: this SecretValue is not from Secrets Manager",
        ),
        (
            {"secret_ids": [cdk.SecretValue.secrets_manager("s"), cdk.SecretValue.secrets_manager("s")]},
            r"secret_ids\[1\]: the ID is given more than once",
        ),
        ({"principals": []}, "principals: an empty list would let nobody in; leave it out for Segment"),
        (
            {"principals": [iam.ServicePrincipal("ec2.amazonaws.com")]},
            r"principals\[0\]: .*ec2.amazonaws.com.* cannot send an External ID; give an AWS principal",
        ),
        ({"principals": [iam.AnyPrincipal()]}, r"principals\[0\]: '\*' would trust every AWS account"),
        (
            {"principals": [iam.CompositePrincipal(segment_principal())]},
            r"principals\[0\]: a CompositePrincipal cannot be given; list its principals one by one",
        ),
        (
            {
                "principals": [
                    segment_principal().with_conditions({"StringLike": {"sts:ExternalId": "*"}}),
                ]
            },
            r"principals\[0\]: its conditions name sts:ExternalId",
        ),
        (
            {"principals": [segment_principal()], "whole_account": True},
            "whole_account: .* put segment_principal",
        ),
        ({"network": OFFICE}, "network: it would lock Segment out"),
        (
            {"network": OFFICE, "principals": [iam.AccountPrincipal("595280932656")]},
            "network: it would lock Segment out",
        ),
        ({"role_name": "a b"}, "role_name: 'a b' is not allowed; it must be 1 to 64 letters"),
        ({"role_name": "x" * 65}, "role_name: 'x+' is not allowed"),
        ({"path": "writers"}, "path: 'writers' is not allowed; it must be / or begin and end with /"),
        (
            {"max_trust_policy_length": 2047},
            "max_trust_policy_length: 2047 is not allowed; it must be a whole number of characters, "
            "from 2,048 to 8,192",
        ),
        ({"streams": []}, "streams: an empty list grants nothing; give one stream or more"),
    ],
)
def test_what_cannot_be_is_refused_at_synth(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        make(stack, **props)
    assert "\n" not in str(raised.value)


def test_streams_of_several_regions_share_a_role(stack: cdk.Stack, resources: Resources) -> None:
    ireland = cdk.Stack(cdk.App.of(stack), "Ireland", env=cdk.Environment(region="eu-west-1"))
    there = EventStream(ireland, "There", stream_name="there")
    make(stack, streams=[EventStream(stack, "Here"), there])
    [policy] = resources("AWS::IAM::ManagedPolicy")
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == [
        {"Fn::GetAtt": ["Here2DAB51EA", "Arn"]},
        {
            "Fn::Join": [
                "",
                ["arn:aws:kinesis:eu-west-1:", {"Ref": "AWS::AccountId"}, ":stream/there"],
            ]
        },
    ]


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"])
def test_segment_is_refused_where_it_cannot_exist(region: str) -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region=region))
    stream = EventStream(stack, "Events")
    for number, props in enumerate([{}, {"whole_account": True}]):
        with pytest.raises(ValueError, match=f"principals: .*:595280932656:.* does not exist for {region}"):
            DestinationRole(stack, f"Role{number}", streams=[stream], source_ids=["abc"], **props)


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")]
)
def test_each_partition_has_its_own_writers(region: str, partition: str) -> None:
    app = cdk.App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = cdk.Stack(app, "Test", env=cdk.Environment(region=region))
    arn = f"arn:{partition}:iam::123456789012:role/forwarder"
    DestinationRole(
        stack,
        "Role",
        streams=[EventStream(stack, "Events")],
        source_ids=["abc"],
        principals=[iam.ArnPrincipal(arn), iam.AccountPrincipal("210987654321")],
    )
    [role] = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"]["AWS"] == [arn, f"arn:{partition}:iam::210987654321:root"]


def test_a_stream_of_another_partition_is_refused(stack: cdk.Stack) -> None:
    arn = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/events"
    stream = EventStream.from_stream_attributes(stack, "Theirs", stream_arn=arn)
    with pytest.raises(ValueError, match=r"streams: arn:aws-cn:.* does not exist for us-west-2"):
        make(stack, streams=[stream])


def test_tokens_pass_through(stack: cdk.Stack, resources: Resources) -> None:
    text = cdk.CfnParameter(stack, "Text", default="x").value_as_string
    make(
        stack,
        source_ids=[text, cdk.Fn.import_value("source")],
        principals=[iam.ArnPrincipal(text)],
        role_name=text,
        path=text,
    )
    [statement] = trust(resources)
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == [
        {"Ref": "Text"},
        {"Fn::ImportValue": "source"},
    ]
    [role] = resources("AWS::IAM::Role")
    assert role["RoleName"] == role["Path"] == {"Ref": "Text"}


def source_ids(count: int, length: int = 10) -> list[str]:
    return [f"{number:0{length}}" for number in range(count)]


def test_a_trust_policy_may_be_as_long_as_the_quota_and_no_longer(
    stack: cdk.Stack, resources: Resources
) -> None:
    def length() -> int:
        [role] = resources("AWS::IAM::Role")
        return len(json.dumps(role["AssumeRolePolicyDocument"], separators=(",", ":")))

    most = 141
    make(stack, source_ids=source_ids(most))
    assert 2048 - 13 < length() <= 2048
    with pytest.raises(
        ValueError, match=r"142 of them make a trust policy of 2,0\d\d characters; allowed: 2,048"
    ) as raised:
        make(stack, "Longer", source_ids=source_ids(most + 1))
    for way_out in ("Secret ID", "DestinationRole.split", "quota raised"):
        assert way_out in str(raised.value)
    make(cdk.Stack(cdk.App(), "Raised"), source_ids=source_ids(most + 1), max_trust_policy_length=4096)


@pytest.mark.parametrize("count", [1, 2, 40])
@pytest.mark.parametrize("principals", [1, 2])
def test_the_length_that_is_checked_is_that_of_the_template(
    stack: cdk.Stack, resources: Resources, count: int, principals: int
) -> None:
    trusted = [segment_principal(), iam.OrganizationPrincipal("o-1234567890")][:principals]
    ids = [*source_ids(count - 1), "x" * 1224] if count > 1 else ["x" * 1224]
    make(stack, source_ids=ids, principals=trusted, max_trust_policy_length=8192)
    [role] = resources("AWS::IAM::Role")
    actual = len(json.dumps(role["AssumeRolePolicyDocument"], separators=(",", ":")))
    from constructs_lib.trust import Trust

    size = Trust(stack, trusted, whole_account=False).policy_sizes(unknown=2)
    assert size(ids) == actual


def test_a_reference_is_not_counted_by_its_own_length(stack: cdk.Stack) -> None:
    # Forty references of eighty characters each: as text they would be over the quota, as Secret IDs not.
    make(stack, secret_ids=[cdk.SecretValue.secrets_manager(f"{'x' * 40}/{number}") for number in range(40)])
