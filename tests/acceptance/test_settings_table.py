"""Settings in a table: changed under load, on running workers, by the command that users have."""

import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.embedded_aws import EmbeddedAws, embedded_aws
from demo.processes import answer
from headgate.cli.app import app
from headgate.errors import HeadgateError
from headgate.settings.table.layout import key
from headgate.settings.table.writer import StaleChange
from headgate.testing import FailRecords, FakeKinesis
from tests.acceptance.serving import Forwarder, serving_from
from tests.acceptance.world import Answer, post
from tests.settings.table.in_moto import make_table

TABLE, REGION, ACCOUNT = "headgate-settings", "us-west-2", "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/writer"
SECRETS = ("the-first-planted-secret", "the-second-planted-secret")
KEYS = {"web": "wk_planted_web", "held": "wk_planted_held", "none": "wk_planted_none"}
WORKERS, MANY, SOON = 2, 12, 15

SOURCES = f"""\
[[sources]]
id = "web"
write_keys = ["{KEYS["web"]}"]
[[sources.destinations]]
stream_name = "a"
role_address = "{ROLE}"
secret_id = "{SECRETS[0]}"

[[sources]]
id = "held"
write_keys = ["{KEYS["held"]}"]
[[sources.destinations]]
stream_name = "slow"
role_address = "{ROLE}"
secret_id = "{SECRETS[0]}"
"""


def send(url: str, source: str, message_id: str = "m") -> Answer:
    event = {"type": "track", "userId": message_id, "event": "e", "messageId": message_id}
    return post(url, "/v1/track", event, write_key=KEYS[source])


class Load:
    """Clients that send one event after the other, each over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()
        self._over = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[Answer] = []

    def _send(self) -> None:
        while not self._over.is_set():
            message_id = f"m{next(self._numbers)}"
            said = send(self._url, "web", message_id)
            if said.status == 200:
                self.acknowledged.append(message_id)
            else:
                self.refused.append(said)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        with ThreadPoolExecutor(4) as clients:
            for _ in range(4):
                clients.submit(self._send)
            try:
                yield self
            finally:
                self._over.set()

    def last(self, count: int) -> set[str]:
        return set(self.acknowledged[-count:])


def settings(*arguments: str) -> None:
    """Run `headgate settings` in this process: whatever it refuses is raised."""
    app(["settings", *arguments], standalone_mode=False)


def asked_for_unknown_keys(url: str) -> set[int]:
    # An unknown key makes a worker look at once; at the same time, or each would wait for its look.
    with ThreadPoolExecutor(MANY) as clients:
        return {each.status for each in clients.map(lambda _: send(url, "none"), range(MANY))}


def within(seconds: float, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.05)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path) as aws:
        key_arn = aws.client("kms", aws.root(ACCOUNT), REGION).create_key()["KeyMetadata"]["Arn"]
        make_table(aws.client("dynamodb", aws.root(ACCOUNT), REGION), key_arn, TABLE)
        for name, value in aws.environment(aws.root(ACCOUNT), REGION).items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("HEADGATE_SETTINGS_TABLE", TABLE)
        yield aws


def environment(aws: EmbeddedAws, kinesis: FakeKinesis) -> dict[str, str]:
    """Return the forwarder's: it may read the table and decrypt, and nothing else there."""
    actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem", "kms:Decrypt"]
    user = aws.user(ACCOUNT, "task", action=actions, resource="*")
    return (
        dict(os.environ)
        | kinesis.environment()
        | {f"AWS_ENDPOINT_URL_{service}": aws.endpoint_url for service in ("DYNAMODB", "KMS")}
        | {"AWS_ACCESS_KEY_ID": user.access_key_id, "AWS_SECRET_ACCESS_KEY": user.secret_access_key}
    )


def put_by_hand(dynamodb: Any, source: dict[str, Any], nonce: str) -> None:
    """Change a source as no command would let anybody."""
    version = dynamodb.get_item(TableName=TABLE, Key=key("version", "version"))["Item"]
    number = {"N": str(int(version["number"]["N"]) + 1)}
    history = {
        "source": source["sk"],
        "changed_at": {"S": ""},
        "changed_by": {"S": ""},
        "changes": {"S": "[]"},
    }
    for item in (
        source | {"number": number},
        key("history", f"{int(number['N']):015d}.000") | history,
        version | {"number": number, "nonce": {"S": nonce}},
    ):
        dynamodb.put_item(TableName=TABLE, Item=item)


def reasons(forwarder: Forwarder, message: str) -> list[str]:
    return [line["reason"] for line in forwarder.said(message=message)]


@pytest.mark.slow
def test_settings_are_changed_under_load_without_a_restart(
    aws: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    dynamodb = aws.client("dynamodb", aws.root(ACCOUNT), REGION)
    told: list[str] = []
    options = ("--workers", str(WORKERS), "--acknowledge-within", "60")
    with FakeKinesis(streams=dict.fromkeys(("a", "b", "slow", "fast"), 2)) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=SECRETS)
        with serving_from(f"dynamodb://{TABLE}", environment(aws, kinesis), tmp_path, *options) as forwarder:
            url, ledger = forwarder.url, kinesis.ledger

            # A table without any source: the task is healthy, and clients keep their events.
            within(SOON, lambda: answer(f"{url}/healthz"))
            said = send(url, "web")
            assert said.status == 503
            told.append(str(said.body))

            plain = tmp_path / "sources.toml"
            plain.write_text(SOURCES, encoding="utf-8")
            settings("import", str(plain))
            within(SOON, lambda: send(url, "web").status == 200)
            with Load(url).running() as load, ThreadPoolExecutor(1) as held:
                within(SOON, lambda: load.last(20) & ledger.by_message_id("a").keys())

                # Every event of `held` waits for its shard, while its destination gets another stream.
                throttled = kinesis.faults.add(
                    FailRecords("ProvisionedThroughputExceededException", stream="slow")
                )
                waiting = held.submit(send, url, "held", "held")
                within(SOON, lambda: kinesis.ledger.errors["ProvisionedThroughputExceededException"])
                (tmp_path / "secret").write_text(SECRETS[1], encoding="utf-8")
                given = ("--secret-id-file", str(tmp_path / "secret"))
                settings("set", "held", "--destination", "slow", "stream_name=fast", *given)
                settings("set", "web", "--destination", "b", f"role_address={ROLE}", *given)
                settings("set", "web", "--destination", "a", "enabled=false")

                def in_force() -> bool:
                    last = load.last(40)
                    return last <= ledger.by_message_id("b").keys() - ledger.by_message_id("a").keys()

                within(SOON, in_force)
                assert send(url, "held", "later").status == 200
                assert ledger.by_message_id("fast").keys() == {"later"}
                assert not waiting.done()
                throttled.lift()
                assert waiting.result(SOON).status == 200
                assert ledger.by_message_id("slow").keys() == {"held"}
                assert {each.external_id for each in kinesis.identities.given} == set(SECRETS)

                # What is not valid is refused by the command, and kept out of force if it gets in by hand.
                for change, said in {
                    ("--destination", "b", "region=europe"): "region is 'europe'; allowed: an AWS region",
                    ("max_events_per_second=0",): "max_events_per_second: expected integer >= 1",
                    ("--destination", "b", "ordering=none"): "ordering: ",
                }.items():
                    with pytest.raises(HeadgateError) as refused:
                        settings("set", "web", *change)
                    assert said in str(refused.value)
                with pytest.raises(
                    StaleChange, match="made for version 1, and it is at version 4, changed by arn:"
                ):
                    settings("set", "web", "enabled=false", "--if-version", "1")
                good = dynamodb.get_item(TableName=TABLE, Key=key("source", "web"))["Item"]
                bad = json.loads(good["settings"]["S"])
                bad["destinations"][1]["region"] = "europe"
                put_by_hand(dynamodb, good | {"settings": {"S": json.dumps(bad)}}, "by hand")
                invalid = "changed settings are not valid; the last good ones stay in force"
                within(
                    SOON,
                    lambda: asked_for_unknown_keys(url) == {503} and len(reasons(forwarder, invalid)) == 2,
                )
                assert (
                    "the source 'web': destinations[2] ('b'): region is 'europe'"
                    in reasons(forwarder, invalid)[0]
                )
                before = len(load.acknowledged)
                within(SOON, lambda: len(load.acknowledged) > before + 20)
                within(SOON, lambda: forwarder.status()["metrics"]["SettingsFailures"] >= WORKERS)
                put_by_hand(dynamodb, good, "by hand again")
                within(SOON, lambda: asked_for_unknown_keys(url) == {401})
                told += [
                    (answer(forwarder.status_url) or b"").decode(),
                    str(dynamodb.scan(TableName=TABLE)["Items"]),
                ]
            assert load.refused == []
            arrived = ledger.by_message_id("a").keys() | ledger.by_message_id("b").keys()
            assert set(load.acknowledged) <= arrived
            assert len(load.acknowledged) > 100
            for command in ("list", "export", "history"):
                settings(command)
            forwarder.stop()
    told += [forwarder.child.log.read_text(encoding="utf-8"), *capfd.readouterr()]
    assert '"settings read again"' in "".join(told)
    for planted in (*SECRETS, *KEYS.values()):
        assert planted not in "".join(told)
