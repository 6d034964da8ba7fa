"""How long a policy will be once it is deployed, as far as synth can know."""

import json
import re
from typing import Any

from aws_cdk import Stack

_PSEUDO_PARAMETERS = {"AWS::AccountId": "1" * 12, "AWS::Partition": "aws", "AWS::Region": "us-west-2"}
_DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:[^}]*\}\}")


def policy_size(stack: Stack, document: Any, *, unknown: int) -> int:
    """Return how many characters of IAM's quota a policy takes: all but white space.

    Args:
        stack: where the policy will be; it knows what tokens stand for.
        document: the policy, tokens and all.
        unknown: how long to take each text for that only the deployment knows, such as a new role's ARN.
    """
    deployed = _as_deployed(stack.resolve(document), "?" * unknown)
    return len(json.dumps(deployed, separators=(",", ":")))


def _as_deployed(value: Any, unknown: str) -> Any:
    """Return `value` with a stand-in for all that only the deployment knows."""
    match value:
        case {"Ref": str(name)} if len(value) == 1:
            return _PSEUDO_PARAMETERS.get(name, unknown)
        case {"Fn::Join": [separator, parts]} if len(value) == 1:
            return _as_deployed(separator.join(str(_as_deployed(part, unknown)) for part in parts), unknown)
        case dict() if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            return unknown
        case dict():
            return {key: _as_deployed(item, unknown) for key, item in value.items()}
        case list():
            return [_as_deployed(item, unknown) for item in value]
        case str():
            return _DYNAMIC_REFERENCE.sub(unknown, value)
        case _:
            return value
