"""What several tables of an environment file are made of."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ExistingStream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stream that is there already, in any region."""

    arn: Annotated[str, Meta(description="The stream's ARN.")]
    encryption_key_arn: Annotated[
        str | None, Meta(description="Its customer managed key, if it has one: writers need a grant for it.")
    ] = None


class SecretId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in Secrets Manager a Secret ID is; its text stands in no file."""

    secret_name: Annotated[str, Meta(min_length=1, description="The secret's name or ARN.")]
    json_field: Annotated[
        str | None, Meta(description="The field, for a secret that is JSON. Default: the whole text.")
    ] = None
    version_id: Annotated[
        str | None,
        Meta(description="The version to trust. Change it and deploy to rotate. Default: the current one."),
    ] = None
