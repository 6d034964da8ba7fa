"""External IDs: what a writer must send to assume the role, so that nobody else's Segment can write."""

import re
from collections.abc import Sequence

from aws_cdk import SecretValue

from constructs_lib.checks import known

# As sts:AssumeRole has it for its parameter ExternalId.
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def external_ids(
    source_ids: Sequence[str] | None, secret_ids: Sequence[str | SecretValue] | None
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
        raise ValueError(f"{prop}: {given!r} is one ID; give a list of them")
    if not given:
        raise ValueError(f"{prop}: an empty list would let nobody in; give one ID or more")
    ids = [_checked(f"{prop}[{number}]", value) for number, value in enumerate(given)]
    if repeated := sorted({value for value in ids if ids.count(value) > 1}):
        shown = ", ".join(map(repr, repeated)) if prop == "source_ids" else "an ID"
        raise ValueError(f"{prop}: {shown} stands there more than once; name each once")
    return ids


def _checked(prop: str, value: str | SecretValue) -> str:
    if isinstance(value, SecretValue):
        # A trust policy is where a Secret ID has to stand; what is kept out is its text, not the reference.
        reference = value.unsafe_unwrap()
        if known(reference) and not reference.startswith("{{resolve:"):
            raise ValueError(
                f"{prop}: this SecretValue holds the text itself, which would stand in the template; "
                "use SecretValue.secrets_manager(NAME)"
            )
        return reference
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{prop}: {value!r} is not allowed; an External ID must not be empty")
    if known(value) and not _EXTERNAL_ID.fullmatch(value):
        shown = repr(value) if prop.startswith("source_ids") else f"a text of {len(value)} characters"
        raise ValueError(
            f"{prop}: {shown} is not allowed; "
            "an External ID is 2 to 1,224 letters, digits and any of _ + = , . @ : / -"
        )
    return value
