"""Requests as IAM judges them: who does what to which resource, against a deployed template's policies."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.policies.deployed import Deployed

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "node_modules" / "@cloud-copilot" / "iam-simulate"

# The engine drops each kms:EncryptionContext:* key of a request: it knows no key with a variable after a
# colon. So that key gets another text key in its place, in policies and request alike. Only those that
# Kinesis, CloudWatch Logs and headgate send are replaced: a policy that names any other allows nothing.
ENCRYPTION_CONTEXT = "kms:EncryptionContext:aws:kinesis:arn"
LOG_ENCRYPTION_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
SOURCE_ENCRYPTION_CONTEXT = "kms:EncryptionContext:source"
DESTINATION_ENCRYPTION_CONTEXT = "kms:EncryptionContext:destination"
_STAND_INS = {
    ENCRYPTION_CONTEXT: "aws:PrincipalTag/encryption-context-aws-kinesis-arn",
    LOG_ENCRYPTION_CONTEXT: "aws:PrincipalTag/encryption-context-aws-logs-arn",
    SOURCE_ENCRYPTION_CONTEXT: "aws:PrincipalTag/encryption-context-source",
    DESTINATION_ENCRYPTION_CONTEXT: "aws:PrincipalTag/encryption-context-destination",
}

ALLOWED, DENIED, FORBIDDEN = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"

_ANYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ANY_RIGHTS = {"name": "any rights", "policy": _ANYTHING}
"""A policy of a caller that the policies of a template know nothing of."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        deployed: whose policies judge it.
        principal: ARN of the caller, or the name of a service of AWS.
        action: such as `kinesis:PutRecords`.
        resource: ARN of what it is done to.
        context: the request's condition keys.
        identity: the caller's own policies.
        resource_policy: the policy of the role, key, queue or bucket that it is done to.
        resource_policy_name: what to call that.
        endpoint: the policy of the VPC endpoint that it goes through, and its name.
        owner: account of the resource, where its ARN has none.
    """

    deployed: Deployed
    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    identity: Sequence[Mapping[str, Any]] = ()
    resource_policy: Mapping[str, Any] | None = None
    resource_policy_name: str = ""
    endpoint: Mapping[str, Any] | None = None
    owner: str = ""

    def as_simulation(self) -> dict[str, Any]:
        levels = [{"orgIdentifier": "r-root", "policies": [{"name": "FullAWSAccess", "policy": _ANYTHING}]}]
        simulation: dict[str, Any] = {
            "request": {
                "principal": self.principal,
                "action": self.action,
                "resource": {
                    "resource": self.resource,
                    "accountId": self.owner or self.resource_account or self.deployed.account,
                },
                "contextVariables": dict(self.context),
            },
            "identityPolicies": list(self.identity),
            "serviceControlPolicies": levels if self.principal.startswith("arn:") else [],
            "resourceControlPolicies": [],
        }
        if self.resource_policy is not None:
            simulation["resourcePolicy"] = self.resource_policy
        if self.endpoint is not None:
            simulation["vpcEndpointPolicies"] = [self.endpoint]
        return simulation

    @property
    def resource_account(self) -> str:
        return self.resource.split(":")[4] if self.resource.startswith("arn:") else ""


def assume_role(deployed: Deployed, role: str, principal: str, external_id: str | None) -> Request:
    """A caller that its own account lets assume every role, so that the trust policy alone decides."""
    trust = deployed.resource_policy_of(deployed.arn(role), "sts:AssumeRole")
    assert trust is not None
    return Request(
        deployed=deployed,
        principal=principal,
        action="sts:AssumeRole",
        resource=deployed.arn(role),
        context={} if external_id is None else {"sts:ExternalId": external_id},
        identity=[ANY_RIGHTS],
        resource_policy_name=trust[0],
        resource_policy=trust[1],
    )


def as_role(
    deployed: Deployed, role: str, action: str, resource: str, context: Mapping[str, str] | None = None
) -> Request:
    """What a writer does once it has assumed the role."""
    name, key_policy = deployed.resource_policy_of(resource, action) or ("", None)
    return Request(
        deployed=deployed,
        principal=deployed.arn(role),
        action=action,
        resource=resource,
        context=context or {},
        identity=deployed.policies_of(role),
        resource_policy_name=name,
        resource_policy=key_policy,
    )


@dataclass(frozen=True)
class Judgement:
    """What the engine says of a request.

    Attributes:
        verdict: one of the above; for a request that it finds malformed, why.
        applied: the statements that decided: the name of a policy and the statement's index in it.
    """

    verdict: str
    applied: frozenset[tuple[str, int]]


def judgements(requests: Sequence[Request]) -> list[Judgement]:
    """Judge all requests in one process."""
    simulations = json.dumps([request.as_simulation() for request in requests])
    for key, stand_in in _STAND_INS.items():
        simulations = simulations.replace(json.dumps(key), json.dumps(stand_in))
    done = subprocess.run(
        ["node", Path(__file__).with_name("simulate.mjs")],
        input=simulations,
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        Judgement(
            # A context key that the engine drops would make a denial that proves nothing.
            f"ignored {one['ignored']}" if one["ignored"] else one["verdict"],
            frozenset((name or request.resource_policy_name, index) for name, index in one["applied"]),
        )
        for request, one in zip(requests, json.loads(done.stdout), strict=True)
    ]


def verdicts(requests: Sequence[Request]) -> list[str]:
    """Judge all requests in one process; a request that the engine finds malformed gets its reason."""
    return [one.verdict for one in judgements(requests)]
