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
# colon. So that key gets another text key in its place, in policies and request alike. Only the one that
# Kinesis sends is replaced: a policy that names any other still allows nothing.
ENCRYPTION_CONTEXT = "kms:EncryptionContext:aws:kinesis:arn"
_STAND_IN = "aws:PrincipalTag/encryption-context-aws-kinesis-arn"

ALLOWED, DENIED = "Allowed", "ImplicitlyDenied"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        deployed: whose policies judge it.
        principal: ARN of the caller.
        action: such as `kinesis:PutRecords`.
        resource: ARN of what it is done to.
        context: the request's condition keys.
        identity: the caller's own policies.
        resource_policy: the resource's policy: a trust policy or a key policy.
    """

    deployed: Deployed
    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    identity: Sequence[Mapping[str, Any]] = ()
    resource_policy: Mapping[str, Any] | None = None

    def as_simulation(self) -> dict[str, Any]:
        anything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        levels = [{"orgIdentifier": "r-root", "policies": [{"name": "FullAWSAccess", "policy": anything}]}]
        simulation: dict[str, Any] = {
            "request": {
                "principal": self.principal,
                "action": self.action,
                "resource": {
                    "resource": self.resource,
                    "accountId": self.resource.split(":")[4] or self.deployed.account,
                },
                "contextVariables": dict(self.context),
            },
            "identityPolicies": list(self.identity),
            "serviceControlPolicies": levels,
            "resourceControlPolicies": [],
        }
        if self.resource_policy is not None:
            simulation["resourcePolicy"] = self.resource_policy
        return simulation


def assume_role(deployed: Deployed, role: str, principal: str, external_id: str | None) -> Request:
    """A caller that its own account lets assume every role, so that the trust policy alone decides."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    return Request(
        deployed=deployed,
        principal=principal,
        action="sts:AssumeRole",
        resource=deployed.arn(role),
        context={} if external_id is None else {"sts:ExternalId": external_id},
        identity=[{"name": "callers", "policy": {"Version": "2012-10-17", "Statement": [statement]}}],
        resource_policy=deployed.properties(role)["AssumeRolePolicyDocument"],
    )


def as_role(
    deployed: Deployed, role: str, action: str, resource: str, context: Mapping[str, str] | None = None
) -> Request:
    """What a writer does once it has assumed the role."""
    keys = {deployed.arn(name): name for name in deployed.named("AWS::KMS::Key")}
    key_policy = deployed.properties(keys[resource])["KeyPolicy"] if resource in keys else None
    return Request(
        deployed=deployed,
        principal=deployed.arn(role),
        action=action,
        resource=resource,
        context=context or {},
        identity=deployed.policies_of(role),
        resource_policy=key_policy,
    )


def verdicts(requests: Sequence[Request]) -> list[str]:
    """Judge all requests in one process; a request that the engine finds malformed gets its reason."""
    simulations = json.dumps([request.as_simulation() for request in requests])
    done = subprocess.run(
        ["node", Path(__file__).with_name("simulate.mjs")],
        input=simulations.replace(json.dumps(ENCRYPTION_CONTEXT), json.dumps(_STAND_IN)),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    # A context key that the engine drops would make a denial that proves nothing.
    return [f"ignored {one['ignored']}" if one["ignored"] else one["verdict"] for one in answers]
