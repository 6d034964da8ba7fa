"""botocore's clients, made one at a time: a session does not promise to make several at once."""

import threading
from typing import Any

from botocore.session import Session

_making = threading.Lock()


def client(session: Session, service: str, **options: Any) -> Any:
    """Return a client, from any thread; the options are those of botocore's `Session.create_client`."""
    with _making:
        return session.create_client(service, **options)
