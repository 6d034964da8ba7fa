"""botocore's clients, made one at a time, as a session does not promise to make several at once."""

import os
import threading
from typing import Any

from botocore.exceptions import ClientError, ConfigParseError, ProfileNotFound
from botocore.session import Session, get_session

from headgate.errors import UsageError, one_line

_making = threading.Lock()


def client(session: Session, service: str, **options: Any) -> Any:
    """Return a client, from any thread; the options are those of botocore's `Session.create_client`."""
    with _making:
        return session.create_client(service, **options)


def code_of(error: ClientError) -> str:
    """Return the code of what AWS answered in place of a result; empty where it named none."""
    code: str = error.response.get("Error", {}).get("Code", "")
    return code


def own_session() -> Session:
    """Return a session with the settings of this process: its profile and its environment.

    Raises:
        UsageError: the profile is missing, or its file cannot be read.
    """
    session = get_session()
    try:
        session.get_scoped_config()
    except (ProfileNotFound, ConfigParseError) as error:
        raise UsageError(one_line(error)) from None
    return session


def own_region(session: Session) -> str | None:
    """Return the region of this process; None where none is set.

    `AWS_REGION` goes first, as in the AWS CLI and the SDKs; botocore alone does not read it.
    """
    return os.environ.get("AWS_REGION") or session.get_config_variable("region")


def region_given(session: Session, region: str | None) -> str:
    """Return the region that a command was given, or that of this process.

    Raises:
        UsageError: there is none.
    """
    found = region or own_region(session)
    if found is None:
        raise UsageError("no region: give --region, or set AWS_REGION or a region in the profile")
    return found
