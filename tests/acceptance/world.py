"""What the acceptance tests share: the values, and a client that speaks as Segment's SDKs do."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import read_back
from demo.embedded_aws import Credentials, EmbeddedAws
from demo.processes import Child
from demo.stack import StreamStackOutputs
from demo.story import REGION

WRITE_KEY = "wk_acceptance"

Serve = Callable[[str], AbstractContextManager[tuple[str, Child]]]


@dataclass(frozen=True)
class World:
    """All that the tests share: an AWS with the app's stack, a forwarder's user, a reader's user."""

    aws: EmbeddedAws
    outputs: StreamStackOutputs
    caller: Credentials
    reader: Credentials
    directory: Path

    @property
    def caller_environment(self) -> dict[str, str]:
        return self.aws.environment(self.caller, REGION)

    @property
    def reader_environment(self) -> dict[str, str]:
        return self.aws.environment(self.reader, REGION)

    def records_of(self, stream_name: str, log: Path) -> list[dict[str, Any]]:
        """Read all of a stream with the real `headgate tail`."""
        return read_back.tail(stream_name, REGION, environment=self.reader_environment, log=log)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


def post(url: str, path: str, body: Any, *, write_key: str = WRITE_KEY) -> Answer:
    """Send one request as a Segment SDK would; `body` is bytes, or becomes JSON."""
    request = urllib.request.Request(
        url + path,
        data=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{write_key}:".encode()).decode(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, json.load(error))
