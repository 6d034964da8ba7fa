"""Settings in a secret: `headgate serve` begins before it is there, follows it, and outlives its loss."""

import itertools
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from demo.embedded_aws import EmbeddedAws, embedded_aws
from demo.forwarder import HEADGATE
from demo.processes import answer
from headgate.overflow.dead_letters import letter
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.origin import Origin
from headgate.settings.schema import Destination, Source
from headgate.testing import FakeKinesis
from tests.acceptance.serving import CANARY, Forwarder, as_toml, serving_from
from tests.acceptance.world import Answer, post

NAME, REGION, ACCOUNT = "headgate/test/sources", "us-west-2", "111122223333"
WORKERS = 2
ROLE = f"arn:aws:iam::{ACCOUNT}:role/writer"
MANY = 12
"""New connections, of which each worker gets some."""


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams={"events": 2}) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=[CANARY])
        yield kinesis


def text_for(write_key: str) -> str:
    destination = Destination(stream_name="events", role_address=ROLE, secret_id=CANARY)
    return as_toml([Source(id="src", write_keys=(write_key,), destinations=(destination,))])


def send(url: str, write_key: str) -> Answer:
    event = {"type": "track", "userId": "u", "event": "e"}
    return post(url, "/v1/track", event, write_key=write_key)


def statuses(url: str, write_key: str) -> set[int]:
    # At the same time, or each unknown key would wait a second for its look.
    with ThreadPoolExecutor(MANY) as clients:
        return {each.status for each in clients.map(lambda _: send(url, write_key), range(MANY))}


def healthy(url: str) -> bool:
    return all(answer(f"{url}/healthz") for _ in range(MANY))


@contextmanager
def container_credentials(aws: EmbeddedAws) -> Iterator[dict[str, str]]:
    """Give a task the credentials that it may fetch, as on ECS; the variables name no region and no key."""
    user = aws.user(ACCOUNT, f"task-{next(_NUMBERS)}", action="secretsmanager:GetSecretValue", resource="*")
    # The fake knows the temporary credentials that it gave itself, and no others.
    body = {
        "AccessKeyId": user.access_key_id,
        "SecretAccessKey": user.secret_access_key,
        "Token": "",
        "Expiration": (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/"}
        finally:
            server.shutdown()
            thread.join()


def surroundings(kinesis: FakeKinesis, aws: EmbeddedAws, task: Mapping[str, str]) -> dict[str, str]:
    """Return all of a task's environment; it names no region."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    without = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
    fake = {name: value for name, value in kinesis.environment().items() if name not in without}
    return kept | fake | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.endpoint_url} | dict(task)


def in_region(kinesis: FakeKinesis, aws: EmbeddedAws, task: Mapping[str, str]) -> dict[str, str]:
    """Return the same with the region, as ECS gives it, and a name for the metrics."""
    return surroundings(kinesis, aws, task) | {"AWS_REGION": REGION, "AWS_EMF_SERVICE_NAME": "by-variable"}


def headgate(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(HEADGATE), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def reasons(forwarder: Forwarder) -> list[str]:
    return [line["reason"] for line in forwarder.said(level="error")]


@pytest.mark.slow
def test_the_forwarder_waits_for_its_secret_follows_it_and_outlives_its_loss(
    kinesis: FakeKinesis, tmp_path: Path
) -> None:
    location, options = f"secretsmanager://{NAME}", ("--workers", str(WORKERS))
    with ExitStack() as running:
        aws = running.enter_context(embedded_aws(tmp_path))
        secrets = aws.client("secretsmanager", aws.root(ACCOUNT), REGION)
        with (
            container_credentials(aws) as task,
            serving_from(location, in_region(kinesis, aws, task), tmp_path, *options) as it,
        ):
            url, until = it.url, it.child.wait_until

            # The secret is not there yet.
            until(lambda: len(it.said(message="serving")) == WORKERS, 20)
            assert answer(f"{url}/healthz") is None
            refused = send(url, "wk_1")
            assert (refused.status, refused.body["code"]) == (503, "settings_unread")
            assert 1 <= int(refused.headers["Retry-After"]) <= 300
            assert len(reasons(it)) == WORKERS
            for reason in reasons(it):
                assert reason.startswith(f"{location}: ResourceNotFoundException: ")

            secrets.create_secret(Name=NAME, SecretString=text_for("wk_1"))
            until(lambda: send(url, "wk_1").status == 200, 20)
            until(lambda: healthy(url), 20)
            assert statuses(url, "wk_1") == {200}
            assert kinesis.ledger.records("events")

            # A new version: a key that is unknown so far is a reason to look, and at last the time is.
            secrets.put_secret_value(SecretId=NAME, SecretString=text_for("wk_2"))
            assert statuses(url, "wk_2") == {200}
            until(lambda: statuses(url, "wk_1") == {401}, 15)

            secrets.put_secret_value(SecretId=NAME, SecretString=text_for("wk_3") + f'nonsense = "{CANARY}"')
            assert statuses(url, "wk_3") == {503}
            assert statuses(url, "wk_2") == {200}
            invalid = it.said(message="changed settings are not valid; the last good ones stay in force")
            assert 1 <= len(invalid) <= WORKERS
            assert invalid[0]["reason"].startswith(f"{location}: sources[1] ('src').destinations[1]")

            # Nobody answers for Secrets Manager any more.
            running.close()
            assert statuses(url, "wk_4") == {503}
            assert statuses(url, "wk_2") == {200}
            assert healthy(url)
            lost = it.said(message="the settings cannot be read; the last good ones stay in force")
            assert 1 <= len(lost) <= WORKERS
            assert "Could not connect" in lost[0]["reason"]
            until(lambda: it.status()["metrics"]["SettingsFailures"] > 2 * WORKERS, 20)
            it.stop()
        assert {line["Service"] for line in it.metrics()} == {"by-variable"}
        told = it.child.log.read_text(encoding="utf-8")
        assert not any(secret in told for secret in (CANARY, "wk_1", "wk_2", "wk_3", "wk_4"))


def test_an_arn_and_a_tasks_credentials_suffice_without_any_region(
    aws: EmbeddedAws, kinesis: FakeKinesis, tmp_path: Path
) -> None:
    secrets = aws.client("secretsmanager", aws.root(ACCOUNT), REGION)
    arn = secrets.create_secret(Name="by-arn", SecretString=text_for("wk"))["ARN"]
    queue = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/overflow"
    options = ("--overflow-queue", queue, "--dead-letter-file", str(tmp_path / "letters.jsonl"))
    options += ("--service-name", "by-option")
    with (
        container_credentials(aws) as task,
        serving_from(f"secretsmanager://{arn}", surroundings(kinesis, aws, task), tmp_path, *options) as it,
    ):
        assert healthy(it.url)
        assert statuses(it.url, "wk") == {200}
        assert len(kinesis.ledger.records("events")) == MANY
        it.stop()
    assert {line["Service"] for line in it.metrics()} == {"by-option"}


def test_a_secret_that_is_not_valid_ends_it_at_the_start_with_one_line(
    aws: EmbeddedAws, kinesis: FakeKinesis
) -> None:
    secrets = aws.client("secretsmanager", aws.root(ACCOUNT), REGION)
    secrets.create_secret(Name="not-valid", SecretString=f"password = {CANARY}")
    with container_credentials(aws) as task:
        environment = in_region(kinesis, aws, task)
        ended = headgate(environment, "serve", "--sources", "secretsmanager://not-valid", "--port", "0")
    assert ended.returncode == 2
    assert ended.stderr.startswith("headgate: secretsmanager://not-valid: not valid TOML: ")
    assert ended.stderr.count("\n") == 1
    assert CANARY not in ended.stderr


async def test_letters_are_sent_again_by_the_settings_of_a_secret(
    aws: EmbeddedAws, kinesis: FakeKinesis, tmp_path: Path
) -> None:
    path = tmp_path / "letters.jsonl"
    origin = Origin(source_id="src", region=REGION, stream_name="events", role_address=ROLE)
    dead = letter(origin, ("key", b"{}"), code="x", message="x", time=datetime(2026, 1, 2, tzinfo=UTC))
    await FileDeadLetters(path).put([dead])
    secrets = aws.client("secretsmanager", aws.root(ACCOUNT), REGION)
    with container_credentials(aws) as task:
        environment = in_region(kinesis, aws, task)
        command = ("redrive", "--sources", "secretsmanager://again", "--dead-letter-file", str(path))
        missing = headgate(environment, *command)
        assert missing.returncode == 1
        assert missing.stderr.startswith("headgate: secretsmanager://again: ResourceNotFoundException: ")
        assert missing.stderr.count("\n") == 1
        secrets.create_secret(Name="again", SecretString=text_for("wk"))
        assert headgate(environment, *command).stdout == "1 sent, 0 kept\n"
    assert [record.partition_key for record in kinesis.ledger.records("events")] == ["key"]
