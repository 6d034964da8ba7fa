"""STS and IAM: AssumeRole, GetCallerIdentity, SimulatePrincipalPolicy. A form comes in, XML goes out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from headgate.testing.identities import DEFAULT_LIFETIME, Identities, Signature, Simulated
from headgate.testing.refusals import Refusal

CONTENT_TYPE = "text/xml"
SERVICES = {"AssumeRole": "sts", "GetCallerIdentity": "sts", "SimulatePrincipalPolicy": "iam"}
"""The operations that are known, and whose they are."""

_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}
_CODES = {
    "ExpiredTokenException": "ExpiredToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "UnrecognizedClientException": "InvalidClientTokenId",
}
"""The query protocol's own names of what the JSON protocol calls otherwise."""
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/\S+")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}")

Members = Mapping[str, str]


def read_form(body: bytes) -> dict[str, str]:
    """Return the members of a request."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def answer(identities: Identities, members: Members, signature: Signature, request_id: str) -> bytes:
    """Return the XML of an answer.

    Raises:
        Refusal: the operation refuses the request.
    """
    operation = members["Action"]
    if operation == "AssumeRole":
        result = _assume_role(identities, members, signature)
    elif operation == "GetCallerIdentity":
        result = _get_caller_identity(identities, signature)
    else:
        result = _simulate(identities, members, signature)
    namespace = _NAMESPACES[SERVICES[operation]]
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def error(refusal: Refusal, service: str, request_id: str) -> bytes:
    """Return the XML of an error."""
    kind = "Sender" if refusal.status < 500 else "Receiver"
    fault = _tags(Type=kind, Code=_CODES.get(refusal.code, refusal.code), Message=refusal.message)
    return (
        f'<ErrorResponse xmlns="{_NAMESPACES[service]}"><Error>{fault}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _assume_role(identities: Identities, members: Members, signature: Signature) -> str:
    role, session = members.get("RoleArn", ""), members.get("RoleSessionName", "")
    if not _ROLE.fullmatch(role):
        raise Refusal("ValidationError", f"{role or 'RoleArn'} is invalid")
    if not _SESSION.fullmatch(session):
        raise Refusal("ValidationError", "RoleSessionName must be 2 to 64 of letters, digits and _+=,.@-")
    asked = members.get("DurationSeconds", str(DEFAULT_LIFETIME))
    if not asked.isdecimal() or not 900 <= int(asked) <= 43_200:
        raise Refusal("ValidationError", f"DurationSeconds must be 900 to 43200, not {asked}")
    given = identities.assume(signature, role, session, members.get("ExternalId"), int(asked))
    credentials = _tags(
        AccessKeyId=given.access_key,
        SecretAccessKey=given.secret_key,
        SessionToken=given.session_token,
        Expiration=datetime.fromtimestamp(given.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    user = _tags(
        Arn=given.arn,
        AssumedRoleId=f"AROAFAKE:{given.session_name}",
    )
    return f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"


def _get_caller_identity(identities: Identities, signature: Signature) -> str:
    arn = identities.caller(signature)
    return _tags(Arn=arn, UserId=signature.access_key, Account=arn.split(":")[4])


def _simulate(identities: Identities, members: Members, signature: Signature) -> str:
    caller = identities.caller(signature)
    source = members.get("PolicySourceArn", "")
    results = []
    for action in _listed(members, "ActionNames"):
        simulated = identities.simulated(action)
        if simulated is None:
            raise Refusal(
                "AccessDenied",
                f"User: {caller} is not authorized to perform: iam:SimulatePrincipalPolicy "
                f"on resource: {source}",
                403,
            )
        results += [
            _evaluated(action, resource, simulated) for resource in _listed(members, "ResourceArns") or ["*"]
        ]
    return f"<IsTruncated>false</IsTruncated><EvaluationResults>{''.join(results)}</EvaluationResults>"


def _evaluated(action: str, resource: str, simulated: Simulated) -> str:
    missing = "".join(f"<member>{escape(name)}</member>" for name in simulated.missing_context_values)
    specific = _tags(EvalResourceName=resource, EvalResourceDecision=simulated.decision)
    return (
        "<member>"
        + _tags(EvalActionName=action, EvalResourceName=resource, EvalDecision=simulated.decision)
        + f"<MissingContextValues>{missing}</MissingContextValues><MatchedStatements/>"
        + f"<ResourceSpecificResults><member>{specific}<MissingContextValues>{missing}</MissingContextValues>"
        + "</member></ResourceSpecificResults></member>"
    )


def _listed(members: Members, name: str) -> list[str]:
    """Return the members of a list, which the query protocol numbers from 1."""
    values: list[str] = []
    while (key := f"{name}.member.{len(values) + 1}") in members:
        values.append(members[key])
    return values


def _tags(**texts: str) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items())
