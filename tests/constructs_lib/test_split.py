from itertools import chain
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib import DestinationRole, EventStream, SplitRoles
from constructs_lib.first_fit import first_fit

SOURCE_IDS = [f"source{number:04}" for number in range(400)]


def split(source_ids: list[str], **props: Any) -> tuple[SplitRoles, dict[str, Any]]:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region="us-west-2"))
    roles = DestinationRole.split(
        stack, "Role", streams=[EventStream(stack, "Events")], source_ids=source_ids, **props
    )
    return roles, Template.from_stack(stack).to_json()["Resources"]


def accepted(resources: dict[str, Any]) -> dict[str, list[str]]:
    """The External IDs that each role of a template accepts."""
    found = {}
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            [statement] = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            ids = statement["Condition"]["StringEquals"]["sts:ExternalId"]
            found[logical_id] = ids if isinstance(ids, list) else [ids]
    return found


def test_as_few_roles_as_fit_accept_each_source_once() -> None:
    roles, resources = split(SOURCE_IDS)
    assert len(roles.roles) == 3  # 141 IDs of ten characters fit into one trust policy
    assert sorted(chain.from_iterable(accepted(resources).values())) == SOURCE_IDS
    for source_id, role in roles.role_of.items():
        assert source_id in accepted(resources)[logical_id_of(role)]


def test_a_raised_quota_needs_fewer() -> None:
    assert len(split(SOURCE_IDS, max_trust_policy_length=8192)[0].roles) == 1


def test_sources_that_fit_make_the_very_role_that_is_not_split() -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region="us-west-2"))
    DestinationRole(stack, "Role", streams=[EventStream(stack, "Events")], source_ids=["ab", "cd"])
    assert split(["ab", "cd"])[1] == Template.from_stack(stack).to_json()["Resources"]


def test_a_source_that_is_appended_moves_no_other() -> None:
    before, after = accepted(split(SOURCE_IDS[:300])[1]), accepted(split(SOURCE_IDS)[1])
    for logical_id, ids in before.items():
        assert after[logical_id][: len(ids)] == ids


def test_a_source_that_is_retired_moves_no_other() -> None:
    before = accepted(split(SOURCE_IDS)[1])
    roles, resources = split(SOURCE_IDS, retired_source_ids=SOURCE_IDS[5:7])
    assert accepted(resources) == {
        logical_id: [one for one in ids if one not in SOURCE_IDS[5:7]] for logical_id, ids in before.items()
    }
    assert SOURCE_IDS[5] not in roles.role_of


def test_a_role_whose_sources_are_all_retired_goes_and_the_others_keep_their_ids() -> None:
    before = accepted(split(SOURCE_IDS)[1])
    first = next(iter(before))
    after = accepted(split(SOURCE_IDS, retired_source_ids=before[first])[1])
    assert after == {logical_id: ids for logical_id, ids in before.items() if logical_id != first}


def test_names_are_numbered_from_the_second_on() -> None:
    _, resources = split(SOURCE_IDS, role_name="writer", path="/segment/")
    roles = [
        resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::IAM::Role"
    ]
    assert [role["RoleName"] for role in roles] == ["writer", "writer-2", "writer-3"]
    assert {role["Path"] for role in roles} == {"/segment/"}


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"source_ids": []}, "source_ids: an empty list"),
        ({"source_ids": ["ab", "ab"]}, r"source_ids\[1\]: 'ab' is given more than once"),
        (
            {"source_ids": ["ab"], "retired_source_ids": ["cd"]},
            "retired_source_ids: 'cd' is not among source_ids",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split(**props)


@given(st.lists(st.text("ab", min_size=1, max_size=8)), st.integers(8, 30))
def test_first_fit_places_everything_in_order_within_the_limit(items: list[str], limit: int) -> None:
    bins = first_fit(items, lambda placed: sum(map(len, placed)), limit)
    assert sorted(chain.from_iterable(bins)) == sorted(items)
    assert all(sum(map(len, placed)) <= limit for placed in bins)
    # No bin could have been spared: what opened one fitted into none before it.
    for number, placed in enumerate(bins):
        for earlier in bins[:number]:
            assert sum(map(len, earlier)) + len(placed[0]) > limit


def test_what_fits_nowhere_is_refused() -> None:
    crowd = [iam.ArnPrincipal(f"arn:aws:iam::123456789012:role/{'x' * 60}{n}") for n in range(20)]
    with pytest.raises(
        ValueError, match=r"1 of them make a trust policy of 2,\d\d\d characters; allowed: 2,048"
    ):
        split(["abc"], principals=crowd)


def logical_id_of(role: DestinationRole) -> str:
    stack = cdk.Stack.of(role)
    resource = role.role.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    logical_id: str = stack.resolve(resource.logical_id)
    return logical_id
