"""What Kinesis and IAM said of a stream: whether it is there, and whether it may be written."""

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.checking.answers import NO_SUCH_STREAM, Refused
from headgate.checking.identity import bad_credentials, unreachable
from headgate.checking.outcomes import Outcome, failed, ok, unknown
from headgate.checking.policies import Lets, Policy, key_lets
from headgate.delivery.permissions import PUTS, decision, missing_context

Summary = Mapping[str, Any]
"""A StreamDescriptionSummary."""
Simulated = Mapping[str, Mapping[str, Any]]
"""The results of a simulation, by action."""

USE_KEY = "kms:GenerateDataKey"
_AWS_OWNED = "alias/aws/kinesis"
_OR_ELSE = ", or correct stream_name or region"
_MODES = {"ON_DEMAND": "on demand", "PROVISIONED": "provisioned"}


def no_stream(arn: str, found_in: Sequence[str] = ()) -> Outcome:
    """Return the outcome where a stream is not there.

    Args:
        arn: of the stream.
        found_in: regions that have one of that name.
    """
    region, account = arn.split(":")[3:5]
    name = arn.rpartition("/")[2]
    if found_in:
        where = " and ".join(found_in)
        return failed(
            f"there is no stream {name!r} in {region} of account {account}; there is one in {where}",
            f"set region to {' or '.join(found_in)}, or make the stream",
        )
    return failed(
        f"there is no stream {name!r} in {region} of account {account}",
        "correct stream_name or region, or make the stream",
    )


def described(summary: Summary) -> Outcome:
    """Return what a stream's summary says."""
    status = summary["StreamStatus"]
    if status in ("CREATING", "DELETING"):
        return failed(
            f"the stream {summary['StreamName']!r} is {status}, and takes no records",
            "wait until it is ACTIVE" if status == "CREATING" else "make it again, or correct stream_name",
        )
    mode = _MODES.get(
        summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED"), "of another mode"
    )
    shards = summary.get("OpenShardCount", 0)
    told = [status, mode, f"{shards} open shard{'' if shards == 1 else 's'}"]
    if (largest := summary.get("MaxRecordSizeInKiB")) is not None:
        told.append(f"records of up to {largest:,} KiB")
    told.append(f"encrypted with {summary.get('KeyId')}" if _key_of(summary) else "not encrypted by KMS")
    return ok(", ".join(told))


def not_described(refused: Refused, arn: str, found_in: Sequence[str] = ()) -> Outcome:
    """Return what it means that a stream could not be looked at.

    Args:
        refused: what was said.
        arn: of the stream.
        found_in: other regions that have one of that name.
    """
    if not refused.answered:
        return unreachable(refused, "kinesis-streams", arn.split(":")[3])
    if (wrong := bad_credentials(refused)) is not None:
        return wrong
    if refused.code == NO_SUCH_STREAM:
        return no_stream(arn, found_in)
    if refused.denied:
        return unknown(
            f"{arn} cannot be looked at from here: no permission to kinesis:DescribeStreamSummary",
            "allow it, or let a put tell (--put)",
        )
    return unknown(f"Kinesis does not describe {arn} now: {refused.text}", "run it again")


def permissions(results: Simulated | Refused, principal: str, arn: str, *, seen: bool) -> Outcome:
    """Return whether a role or user may put records into a stream, as IAM simulates it.

    Args:
        results: of the simulation, or why there are none.
        principal: the role or the user.
        arn: of the stream.
        seen: whether the stream is known to be there; else it may be the wrong one that is denied.
    """
    if isinstance(results, Refused):
        return _not_simulated(results, principal)
    decisions = {action: decision(results.get(action)) for action in PUTS}
    denied = [action for action in PUTS if decisions[action] == "denied"]
    if denied:
        why, fix = _denied_by([results[action] for action in denied])
        note = "; until then records go one by one" if denied == ["kinesis:PutRecords"] else ""
        return failed(
            f"{principal} is not allowed {' and '.join(denied)} on {arn}{why}",
            fix.format(actions=" and ".join(denied)) + ("" if seen else _OR_ELSE) + note,
        )
    if "unknown" in decisions.values():
        return _hangs_on(results)
    return ok(f"{' and '.join(PUTS)} allowed (iam:SimulatePrincipalPolicy)")


def key_to_ask(summary: Summary | None, arn: str) -> str | Outcome:
    """Return the ARN of the key that encrypts a stream, or the outcome where none is to be asked for."""
    if summary is None:
        return unknown(
            "whether a KMS key encrypts the stream cannot be told from here", "let a put tell (--put)"
        )
    key = _key_of(summary)
    if key is None:
        return ok("no KMS key encrypts the stream, so none has to be allowed")
    if key.endswith(_AWS_OWNED):
        return ok(f"{_AWS_OWNED} encrypts the stream, which needs no permission inside its account")
    if "alias/" in key:
        return unknown(f"{key} is an alias, of which IAM cannot be asked", "let a put tell (--put)")
    if key.startswith("arn:"):
        return key
    _, partition, _, region, account, _ = arn.split(":", 5)
    return f"arn:{partition}:kms:{region}:{account}:key/{key}"


def key_context(arn: str) -> dict[str, str]:
    """Return what conditions on the use of a key may ask for: that Kinesis uses it, for this stream."""
    _, partition, _, region, account, _ = arn.split(":", 5)
    suffix = ".cn" if partition == "aws-cn" else ""
    return {
        "kms:ViaService": f"kinesis.{region}.amazonaws.com{suffix}",
        "kms:EncryptionContext:aws:kinesis:arn": arn,
        "kms:CallerAccount": account,
    }


def key(
    results: Simulated | Refused, principal: str, key_arn: str, policy: Policy | Refused | None = None
) -> Outcome:
    """Return whether a role or user may use a stream's key, as IAM simulates it, or the key's policy says.

    Args:
        results: of the simulation, or why there are none.
        principal: the role or the user.
        key_arn: of the key.
        policy: the key's own, or why it could not be read; None where nobody was asked.
    """
    if isinstance(results, Refused):
        return _not_simulated(results, principal)
    found = decision(results.get(USE_KEY))
    by_itself = key_lets(policy, USE_KEY, principal) if isinstance(policy, Mapping) else Lets.NO
    if found == "denied" and by_itself is not Lets.NO and not _explicit(results[USE_KEY]):
        if by_itself is Lets.YES:
            return ok(f"{USE_KEY} allowed on {key_arn} by the key's own policy")
        return unknown(
            f"the policy of {key_arn} lets {principal} use it on conditions", "let a put tell (--put)"
        )
    if found == "denied":
        why, fix = _denied_by([results[USE_KEY]])
        return failed(
            f"{principal} is not allowed {USE_KEY} on {key_arn}, which encrypts the stream{why}",
            fix.format(actions=USE_KEY) + ", or in the key's own",
        )
    if found == "unknown":
        return _hangs_on(results)
    return ok(f"{USE_KEY} allowed on {key_arn} (iam:SimulatePrincipalPolicy, blind to the key's own policy)")


def _key_of(summary: Summary) -> str | None:
    return summary.get("KeyId") if summary.get("EncryptionType") == "KMS" else None


def _not_simulated(refused: Refused, principal: str) -> Outcome:
    why = "no permission to iam:SimulatePrincipalPolicy" if refused.denied else refused.text
    return unknown(
        f"what {principal} may do cannot be told from here: {why}",
        "allow it, or let a put tell (--put)" if refused.denied else "let a put tell (--put)",
    )


def _hangs_on(results: Simulated) -> Outcome:
    missing = missing_context(results.values())
    on = (
        f"hangs on conditions that only a real request decides: {', '.join(missing)}"
        if missing
        else "was not told"
    )
    return unknown(f"IAM's answer {on}", "let a put tell (--put)")


def _explicit(result: Mapping[str, Any]) -> bool:
    specific = result.get("ResourceSpecificResults") or [{"EvalResourceDecision": result.get("EvalDecision")}]
    return any(each.get("EvalResourceDecision") == "explicitDeny" for each in specific)


def _denied_by(results: list[Mapping[str, Any]]) -> tuple[str, str]:
    """Return what denies, and the fix."""
    first = results[0]
    if first.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return " by an SCP of its organization", "have the organization's SCPs allow {actions}"
    if first.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return " by its permissions boundary", "allow {actions} in its permissions boundary"
    if _explicit(first):
        return " by a Deny in one of its policies", "take {actions} out of that Deny"
    return "", "allow {actions} there in its policy"
