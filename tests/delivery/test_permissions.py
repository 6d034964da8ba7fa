"""What an answer of SimulatePrincipalPolicy means."""

from typing import Any

import pytest

from headgate.delivery.permissions import decision, missing_context, stream_arn


@pytest.mark.parametrize(
    ("result", "means"),
    [
        ({"EvalDecision": "allowed"}, "allowed"),
        ({"EvalDecision": "implicitDeny"}, "denied"),
        ({"EvalDecision": "explicitDeny"}, "denied"),
        ({"EvalDecision": "allowed", "MissingContextValues": ["aws:SourceVpce"]}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
        (
            {
                "EvalDecision": "implicitDeny",
                "ResourceSpecificResults": [{"EvalResourceDecision": "allowed"}],
            },
            "allowed",
        ),
        (
            {
                "EvalDecision": "allowed",
                "ResourceSpecificResults": [
                    {"EvalResourceDecision": "implicitDeny", "MissingContextValues": ["aws:SourceIp"]}
                ],
            },
            "unknown",
        ),
    ],
)
def test_a_simulations_result_is_read_per_resource_and_what_it_lacks_is_unknown(
    result: dict[str, Any] | None, means: str
) -> None:
    assert decision(result) == means


def test_the_condition_keys_that_a_simulation_lacked_are_named_once() -> None:
    one = {"MissingContextValues": ["aws:SourceVpce"]}
    another = {"ResourceSpecificResults": [{"MissingContextValues": ["aws:SourceIp", "aws:SourceVpce"]}]}
    assert missing_context([one, another, {}]) == ["aws:SourceIp", "aws:SourceVpce"]


def test_a_stream_is_in_the_account_and_the_partition_of_its_writer() -> None:
    writer = "arn:aws-cn:sts::111122223333:assumed-role/writer/headgate"
    assert (
        stream_arn(writer, "cn-north-1", "events")
        == "arn:aws-cn:kinesis:cn-north-1:111122223333:stream/events"
    )
