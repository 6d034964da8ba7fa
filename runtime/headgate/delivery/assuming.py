"""One AssumeRole, as every part of Headgate sends it: a trust policy may name the session, too."""

from typing import TYPE_CHECKING

from botocore.credentials import ReadOnlyCredentials

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

_SESSION_NAME = "headgate"
_SESSION_SECONDS = 3600
"""Role chaining, which an ECS task role's AssumeRole is, allows no more (STS API reference)."""


def assume_role(
    sts: "STSClient", role_address: str, external_id: str | None
) -> tuple[ReadOnlyCredentials, float]:
    """Return the role's credentials, and when they end in seconds since 1970.

    Args:
        sts: the caller's client.
        role_address: the role's ARN.
        external_id: the External ID to send; None for none.

    Raises:
        ClientError: STS refused; it names a missing role, an untrusted caller and a wrong External ID alike.
        BotoCoreError: STS cannot be reached, or there are no credentials to ask with.
    """
    request: AssumeRoleRequestTypeDef = {
        "RoleArn": role_address,
        "RoleSessionName": _SESSION_NAME,
        "DurationSeconds": _SESSION_SECONDS,
    }
    if external_id is not None:
        request["ExternalId"] = external_id
    given = sts.assume_role(**request)["Credentials"]
    credentials = ReadOnlyCredentials(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], None
    )
    return credentials, given["Expiration"].timestamp()
