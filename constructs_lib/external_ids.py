"""External IDs: what a writer must send to assume the role, so that nobody else's Segment can write."""

import json
import re
from collections.abc import Sequence
from typing import Any

from aws_cdk import SecretValue, Stack

from constructs_lib.checks import known

# As sts:AssumeRole has it for its parameter ExternalId.
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def external_ids(
    stack: Stack, source_ids: Sequence[str] | None, secret_ids: Sequence[str | SecretValue] | None
) -> list[str]:
    """Return the External IDs to be accepted, from whichever of the two kinds is given.

    A Secret ID from Secrets Manager comes back as a reference that CloudFormation resolves at deploy.

    Raises:
        ValueError: both kinds or neither given, an empty list, or an ID that is empty, malformed or repeated.
    """
    if source_ids is not None and secret_ids is not None:
        raise ValueError(
            "source_ids and secret_ids cannot be given together: Segment sends one or the other; "
            "give the kind that your workspace uses, and make a second DestinationRole for the other"
        )
    if source_ids is None and secret_ids is None:
        raise ValueError(
            "source_ids or secret_ids must be given: without an External ID any Segment customer could have "
            "Segment write into your stream"
        )
    prop = "source_ids" if secret_ids is None else "secret_ids"
    given = source_ids or secret_ids or ()
    if isinstance(given, str):
        raise ValueError(f"{prop}: one text is not allowed; give a list of IDs")
    if not given:
        raise ValueError(f"{prop}: an empty list would let nobody in; give one ID or more")
    ids, seen = [], set()
    for number, value in enumerate(given):
        place = f"{prop}[{number}]"
        checked = _reference(stack, place, value) if isinstance(value, SecretValue) else _text(place, value)
        if (same := json.dumps(stack.resolve(checked) if not known(checked) else checked)) in seen:
            raise ValueError(f"{place}: {_shown(place, value)} is given more than once; give each once")
        seen.add(same)
        ids.append(checked)
    return ids


def _text(place: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: {value!r} is not allowed; an External ID must not be empty")
    if known(value) and not _EXTERNAL_ID.fullmatch(value):
        raise ValueError(
            f"{place}: {_shown(place, value)} is not allowed; "
            "an External ID is 2 to 1,224 letters, digits and any of _ + = , . @ : / -"
        )
    return value


def _reference(stack: Stack, place: str, secret: SecretValue) -> str:
    # A trust policy is where a Secret ID has to stand; what is kept out is its text, not the reference.
    unwrapped = secret.unsafe_unwrap()
    resolved: Any = stack.resolve(unwrapped)
    if isinstance(resolved, str) and not resolved.startswith("{{resolve:secretsmanager:"):
        raise ValueError(
            f"{place}: this SecretValue is not from Secrets Manager; its text would be in the template, or "
            "CloudFormation cannot resolve it here; use SecretValue.secrets_manager(NAME)"
        )
    return resolved if isinstance(resolved, str) else unwrapped


def _shown(place: str, value: Any) -> str:
    """A source ID as it is; of a Secret ID, which is as good as a password, nothing."""
    return repr(value) if place.startswith("source_ids") else "the ID"
