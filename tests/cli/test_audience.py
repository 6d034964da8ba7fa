"""`headgate audience` and `headgate trait`, in this process, against the fake Kinesis."""

import json
import logging
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer

from demo.forwarder import HEADGATE
from headgate import garbage
from headgate.audiences.local_store import LocalStore
from headgate.cli import audience, trait
from headgate.testing import UNLIMITED, FakeKinesis
from tests.cli.test_app import run

NAME, KEY = "Order completed last 30days", "order_completed_last_30days"
SOURCES = """
[[sources]]
id = "shop"
write_keys = ["wk"]
[[sources.destinations]]
stream_name = "events"

[[sources]]
id = "off"
write_keys = ["wk2"]
enabled = false
[[sources.destinations]]
stream_name = "events"

[[sources]]
id = "deaf"
write_keys = ["wk3"]
[[sources.destinations]]
stream_name = "events"
enabled = false
"""


@dataclass
class Shop:
    """A directory with sources and members, a stream, and the command line."""

    kinesis: FakeKinesis
    directory: Path
    capfd: pytest.CaptureFixture[str]
    read: int = 0
    errors: str = ""
    output: str = ""

    def members(self, *users: str, name: str = "members.csv") -> None:
        (self.directory / name).write_text("user_id\n" + "".join(f"{user}\n" for user in users))

    def headgate(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Run a command, and return the lines that it prints."""
        ended, self.output, self.errors = run(self.capfd, *arguments)
        assert ended == status, self.errors
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def sync(self, *more: str, name: str = NAME, status: int = 0) -> list[dict[str, Any]]:
        given = ["audience", "sync", "--name", name, "--source", "shop"]
        if "--members" not in more:
            given += ["--members", "members.csv"]
        return self.headgate(*given, *more, status=status)

    def events(self) -> list[dict[str, Any]]:
        """Return what has arrived since the last time."""
        records = list(self.kinesis.ledger.records())[self.read :]
        self.read += len(records)
        return [json.loads(record.data) for record in records]

    def told(self) -> dict[str, Any]:
        """Return what has arrived since the last time of each user."""
        return {event.get("userId") or event["anonymousId"]: event["traits"][KEY] for event in self.events()}


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(garbage, "search_seldom", lambda: None)  # this process goes on to do other things
    (tmp_path / "sources.toml").write_text(SOURCES)
    level = logging.getLogger("headgate").level
    with FakeKinesis(streams={"events": 4}, limits=UNLIMITED) as kinesis:
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        yield Shop(kinesis, tmp_path, capfd)
    logging.getLogger("headgate").setLevel(level)


def test_who_has_ordered_is_told_true_later_false_and_only_who_changed_is_told(shop: Shop) -> None:
    shop.members("u1", "u2", "u3")
    shop.sync()
    assert shop.told() == {"u1": True, "u2": True, "u3": True}
    shop.members("u2", "u3", "u4")
    *_, done = shop.sync()
    assert shop.told() == {"u1": False, "u4": True}
    assert (done["step"], done["calls"], done["members"]) == ("done", 2, 3)


def test_an_event_is_what_engage_sends(shop: Shop) -> None:
    shop.members("u1")
    shop.sync()
    [event] = shop.events()
    assert event["type"] == "identify"
    assert event["traits"] == {KEY: True}
    personas = event["context"]["personas"]
    assert (personas["computation_class"], personas["computation_key"]) == ("audience", KEY)
    assert event["integrations"] == {"All": False, "Amazon Kinesis": True}
    assert event["projectId"] == "shop"


def test_a_trait_is_told_where_its_value_is_new_or_another_and_null_where_there_is_none(shop: Shop) -> None:
    values = shop.directory / "totals.jsonl"
    sync = ["trait", "sync", "--name", "Total", "--values", "totals.jsonl", "--source", "shop"]
    values.write_text('{"user_id": "u1", "value": 450.00}\n{"user_id": "u2", "value": 7}\n')
    shop.headgate(*sync)
    assert {each["userId"]: each["traits"]["total"] for each in shop.events()} == {"u1": 450, "u2": 7}
    values.write_text('{"user_id": "u1", "value": 450.01}\n{"user_id": "u3", "value": "x"}\n')
    shop.headgate(*sync)
    said = {each["userId"]: each["traits"]["total"] for each in shop.events()}
    assert said == {"u1": 450.01, "u2": None, "u3": "x"}


def test_each_identifier_has_a_call_of_its_own(shop: Shop) -> None:
    duckdb.sql("SELECT 'u1' AS id, 'a1' AS anon UNION ALL SELECT NULL, 'a2'").write_parquet("m.parquet")
    shop.sync("--members", "m.parquet", "--id-column", "id", "--anonymous-id-column", "anon")
    assert shop.told() == {"u1": True, "a1": True, "a2": True}
    shop.sync("--members", "m.parquet", "--id-column", "", "--anonymous-id-column", "anon")
    assert shop.told() == {"u1": False}


def test_in_a_pipe_each_step_is_a_json_line(shop: Shop) -> None:
    (shop.directory / "members.csv").write_text('user_id\nu1\nu2\nu2\n""\n')
    lines = shop.sync()
    assert [line["step"] for line in lines] == ["snapshot", "difference", "sending", "sending", "done"]
    snapshot, difference, *_, sent, _ = lines
    assert (snapshot["rows"], snapshot["members"], snapshot["duplicates"]) == (4, 2, 1)
    assert (difference["entered"], difference["left"], difference["calls"]) == (2, 0, 2)
    assert (sent["settled"], sent["calls"], sent["limitPerSecond"], sent["trouble"]) == (2, 2, 4_000, None)


def test_metrics_are_written_where_a_service_is_named(shop: Shop) -> None:
    shop.members("u1", "u2")
    *_, metrics = shop.sync("--service-name", "shop")
    figures = {name: metrics[name] for name in ("AudienceSyncs", "AudienceMembers", "AudienceCalls")}
    assert figures == {"AudienceSyncs": 1, "AudienceMembers": 2, "AudienceCalls": 2}
    assert (metrics["Service"], metrics["Audience"]) == ("shop", NAME)
    shop.members()
    *_, metrics = shop.sync("--service-name", "shop", status=1)
    assert metrics["AudienceSyncFailures"] == 1
    assert "AudienceSyncs" not in metrics
    assert "_aws" not in shop.sync("--allow-empty")[-1]


def test_a_dry_run_shows_counts_and_samples_and_writes_nothing(shop: Shop) -> None:
    shop.members(*(f"u{number}" for number in range(20)))
    lines = shop.sync("--dry-run", "--service-name", "shop")
    assert [line["step"] for line in lines] == ["snapshot", "difference", *["sample"] * 5]
    assert lines[-1]["event"]["traits"] == {KEY: True}
    assert not shop.events()
    assert not (shop.directory / "state").exists()


def test_a_rate_that_is_given_is_the_limit(shop: Shop) -> None:
    shop.members("u1", "u2")
    sent, _ = shop.sync("--max-records-per-second", "500")[-2:]
    assert (sent["settled"], sent["limitPerSecond"]) == (2, 500)
    assert len(shop.events()) == 2


def test_a_guard_is_one_line_and_nothing_is_sent(shop: Shop) -> None:
    shop.members("u1", "u2", "u3")
    shop.sync()
    shop.events()
    shop.members("u1")
    shop.sync(status=1)
    assert shop.errors == (
        "headgate: the snapshot would remove 2 of 3 members, 66.7%; allowed: 50.0%; "
        "give --max-removed if that is meant\n"
    )
    shop.members()
    shop.sync(status=1)
    assert "give --allow-empty if that is meant" in shop.errors
    assert not shop.events()
    shop.sync("--allow-empty")
    assert shop.told() == {"u1": False, "u2": False, "u3": False}


def test_a_key_that_another_name_has_is_refused(shop: Shop) -> None:
    shop.members("u1")
    shop.sync()
    shop.sync(name="order completed last 30DAYS", status=2)
    assert shop.errors.startswith(
        f"headgate: the key {KEY!r} of source shop is that of the audience {NAME!r}; "
    )
    assert shop.errors.count("\n") == 1


def test_while_it_is_synced_elsewhere_one_line_says_by_whom(shop: Shop) -> None:
    shop.members("u1")
    store = LocalStore(shop.directory / "state/headgate/audiences")
    with store.lock(f"shop/{KEY}/lock", "it"):
        lines = shop.sync("--service-name", "shop", status=1)
    by = f"{socket.gethostname()}, process {os.getpid()}"
    assert shop.errors.startswith(
        f"headgate: the audience {NAME!r} of source shop is being synced by {by}, since "
    )
    assert shop.errors.count("\n") == 1
    assert lines == [], "another one is at work: no failure"
    shop.sync()


@pytest.mark.parametrize(
    ("more", "said", "status"),
    [
        (["--source", "nobody"], "--source: no source has the ID 'nobody'; there are: shop, off, deaf", 2),
        (["--source", "off"], "--source: the source 'off' is disabled", 2),
        (["--source", "deaf"], "--source: every destination of the source 'deaf' is disabled", 2),
        (["--members", "none.csv"], "--members: there is no file 'none.csv'", 2),
        (["--members", "members.xls"], "members.xls has no suffix that tells its form", 2),
        (["--id-column", "id"], "'id'", 2),
        (["--id-column", ""], "--id-column is empty; then --anonymous-id-column is needed", 2),
        (["--max-removed", "2"], "--max-removed: 2 is no share; allowed: 0 to 1", 2),
        (["--max-records-per-second", "0"], "--max-records-per-second: 0; allowed: more than 0", 2),
        (["--deliver-within", "-1"], "--deliver-within: -1; allowed: more than 0", 2),
        (["--name", "!!"], "the name '!!' has no key", 2),
        (["--state", "gs://x"], "--state is 'gs://x'; allowed: a directory, or s3://BUCKET/PREFIX", 2),
        (["--members", "s3://B/x"], "--members is 's3://B/x'; allowed: s3://BUCKET/PREFIX", 2),
        (["--sources", "none.toml"], "none.toml", 2),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_kept(
    shop: Shop, more: Sequence[str], said: str, status: int
) -> None:
    shop.members("u1")
    (shop.directory / "members.xls").touch()
    shop.sync(*more, status=status)
    assert said in shop.errors
    assert shop.errors.count("\n") == 1
    assert not list((shop.directory / "state").rglob("*.parquet"))


def test_a_stream_that_is_not_there_is_named_with_awss_words_and_the_sync_goes_on_later(shop: Shop) -> None:
    shop.members("u1", "u2")
    shop.kinesis.delete_stream("events")
    shop.sync("--deliver-within", "0.5", status=1)
    said = "the destination shop/events is paused: ResourceNotFoundException: Stream events under account "
    assert shop.errors.startswith(f"headgate: calls could not be delivered for 0.5 s: {said}")
    [listed] = shop.headgate("audience", "list")
    assert (listed["members"], listed["unfinishedCalls"]) == (0, 2)
    shop.kinesis.create_stream("events", 1)
    shop.members("u1", "u2", "u3")
    lines = shop.sync()
    assert [line["calls"] for line in lines if line["step"] == "done"] == [2, 1]
    assert shop.told() == {"u1": True, "u2": True, "u3": True}


def test_a_call_that_can_never_be_delivered_is_reported_left_out_and_ends_with_status_1(shop: Shop) -> None:
    long = "u" * 900
    shop.members("u1", "u2", long)
    shop.kinesis.create_stream("events", 4, max_record_kib=1)
    *_, why, done = shop.sync(status=1)
    assert why["reason"].startswith("too_large: the record has ")
    assert (done["undeliverable"], done["members"]) == (1, 2)
    assert shop.told() == {"u1": True, "u2": True}
    shop.kinesis.create_stream("events", 4)
    shop.sync()
    assert shop.told() == {long: True}


def test_list_show_and_forget(shop: Shop) -> None:
    assert shop.headgate("audience", "list") == []
    shop.members("u1", "u2")
    shop.sync()
    shop.sync(name="VIP")
    listed = shop.headgate("audience", "list", "--source", "shop")
    assert [(line["key"], line["members"]) for line in listed] == [(KEY, 2), ("vip", 2)]
    [shown] = shop.headgate("audience", "show", NAME)
    assert (shown["name"], shown["entered"], shown["destinations"]) == (NAME, 2, ["shop/events"])
    assert shop.headgate("audience", "show", "vip")[0]["name"] == "VIP"
    shop.headgate("audience", "forget", NAME, status=2)
    assert "2 members are known; give --yes if that is meant" in shop.errors
    shop.headgate("audience", "forget", NAME, "--yes")
    assert shop.headgate("audience", "show", KEY)[0]["members"] == 0
    assert not list((shop.directory / f"state/headgate/audiences/shop/{KEY}").glob("*.parquet"))
    first = {event["messageId"] for event in shop.events() if KEY in event["traits"]}
    shop.sync()
    again = shop.events()
    assert {event["userId"] for event in again} == {"u1", "u2"}
    assert not first & {event["messageId"] for event in again}, "consumers would drop them"


def test_a_name_that_is_not_kept_is_one_line_with_those_that_are(shop: Shop) -> None:
    shop.members("u1")
    shop.sync()
    for command in ("show", "forget"):
        shop.headgate("audience", command, "VIP", status=2)
        assert shop.errors.endswith(f"has nothing of the name or key 'VIP'; there are: {NAME!r}\n")


def test_on_a_terminal_it_is_lines_for_the_eye_and_a_bar(shop: Shop) -> None:
    shop.members(*(f"u{number}" for number in range(2_000)))
    ours, theirs = pty.openpty()
    command = [HEADGATE, "audience", "sync", "--name", NAME, "--source", "shop", "--members", "members.csv"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, env=environment, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        shown = ""
        with suppress(OSError):  # what a terminal says once its last writer has ended
            while True:
                shown += os.read(ours, 65536).decode()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
    os.close(ours)
    assert "2,000 rows, 2,000 members" in shown
    assert "2,000 entered, 0 left, 0 changed, 0 unchanged: 2,000 calls" in shown
    assert "2000/2000" in shown
    assert "of 4,000 calls/s" in shown
    assert "2,000 calls delivered; 2,000 members" in shown


def test_without_duckdb_one_line_says_what_to_install(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith(("duckdb", "headgate.audiences"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    shop.members("u1")
    shop.sync(status=1)
    said = "this command needs an extra that is not installed: pip install 'headgate[audiences]'"
    assert shop.errors == f"headgate: {said}\n"
    assert shop.headgate("audience", "list") == []


@pytest.mark.parametrize("kind", ["audience", "trait"])
def test_every_option_is_in_the_document(kind: str) -> None:
    document = (Path(__file__).parents[2] / "docs/audiences.md").read_text(encoding="utf-8")
    commands = {"audience": audience.app, "trait": trait.app}
    group: Any = typer.main.get_command(commands[kind])
    options = {name for each in group.commands["sync"].params for name in each.opts if name.startswith("--")}
    assert {"--name", "--source", "--state"} < options
    assert not {name for name in options - {"--help"} if f"`{name}`" not in document}
