"""`headgate settings` on moto: what each command does, prints, and never prints."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.cli import app
from headgate.settings.table.layout import key
from headgate.settings.write_keys import hashed, shown
from tests.settings.table.in_moto import NAME, ROLE, World, make_table, world_in_moto

SECRETS = ("only-the-customer-may-read-this", "nor-may-they-read-this-one")
KEYS = ("wk_planted_first", "wk_planted_second", "wk_planted_third")
PLAIN = f"""\
[[sources]]
id = "web"
name = "Website"
write_keys = ["{KEYS[0]}", "{KEYS[1]}"]

[[sources.destinations]]
stream_name = "events"
role_address = "{ROLE}"
secret_id = "{SECRETS[0]}"

[[sources]]
id = "app"
write_keys = ["wk_app"]

[[sources.destinations]]
stream_name = "events"
region = "eu-west-1"
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Ended = tuple[int, str, str]
Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    with world_in_moto() as world:
        yield world


@pytest.fixture
def world(module_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    module_world.begin()
    monkeypatch.setenv("HEADGATE_SETTINGS_TABLE", NAME)
    monkeypatch.setattr("botocore.session.get_session", lambda: module_world.session)
    return module_world


@pytest.fixture
def run(world: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str, stdin: str | io.StringIO = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["headgate", "settings", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if isinstance(stdin, str) else stdin)
        with pytest.raises(SystemExit) as ended:
            app.run()
        sys.stdout.flush()
        return int(ended.value.code or 0), *capfd.readouterr()

    return run


@pytest.fixture
def plain(tmp_path: Path) -> str:
    path = tmp_path / "sources.toml"
    path.write_text(PLAIN, encoding="utf-8")
    return str(path)


def objects(ended: Ended) -> list[dict[str, Any]]:
    status, out, err = ended
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def refused(ended: Ended, status: int = 2) -> str:
    assert ended[:2] == (status, "")
    assert ended[2].startswith("headgate: ")
    assert ended[2].count("\n") == 1
    return ended[2]


def test_a_file_is_imported_and_what_is_the_same_already_is_not_written_again(run: Run, plain: str) -> None:
    [told] = objects(run("import", plain))
    assert told == {"new": 2, "changed": 0, "as_they_were": 0, "not_in_the_file": 0}
    # A Secret ID is encrypted anew: whether it is the same nobody can tell who may only encrypt.
    [told] = objects(run("import", plain))
    assert told == {"new": 0, "changed": 1, "as_they_were": 1, "not_in_the_file": 0}


def test_an_export_is_imported_as_it_is(run: Run, plain: str, tmp_path: Path, world: World) -> None:
    run("import", plain)
    before = world.store().latest().sources()
    exported = run("export")[1]
    path = tmp_path / "export.toml"
    path.write_text(exported, encoding="utf-8")
    [told] = objects(run("import", str(path)))
    assert told == {"new": 0, "changed": 0, "as_they_were": 2, "not_in_the_file": 0}
    world.begin()
    [told] = objects(run("import", str(path)))
    assert told["new"] == 2
    assert world.store().latest().sources() == before
    assert run("export")[1] == exported
    assert run("validate", str(path))[:2] == (0, f"{path}: valid, 2 sources with 2 destinations\n")


def test_sources_are_listed_and_shown(run: Run, plain: str) -> None:
    run("import", plain)
    listed = objects(run("list"))
    assert [each["id"] for each in listed] == ["app", "web"]
    [web] = objects(run("show", "web"))
    assert web == listed[1]
    assert web["write_keys"] == [shown(each) for each in KEYS[:2]]
    assert web["version"] == 1
    assert web["changed_by"].startswith("arn:aws:sts::123456789012:")
    [destination] = web["destinations"]
    assert (destination["secret_id"], destination["wire"], destination["enabled"]) == ("set", "auto", True)
    assert "no source 'nobody'" in refused(run("show", "nobody"))


def test_a_field_is_set_for_a_version_of_its_source(run: Run, plain: str) -> None:
    run("import", plain)
    [told] = objects(run("set", "web", "enabled=false"))
    assert told == {
        "source": "web",
        "version": 2,
        "changes": [{"field": "enabled", "old": True, "new": False}],
    }
    [told] = objects(run("set", "web", "enabled=false"))
    assert told == {"source": "web", "version": None, "changes": []}
    line = refused(run("set", "web", "name=Late", "--if-version", "1"), 1)
    assert (
        "the source 'web': the change was made for version 1, and it is at version 2, changed by arn:" in line
    )
    assert "the change was made for no such source" in refused(run("set", "web", "--if-version", "0"), 1)
    [told] = objects(run("set", "web", "name=In time", "--if-version", "2"))
    assert told["version"] == 3
    line = refused(run("set", "web", "max_events_per_second=none"))
    assert "the source 'web': max_events_per_second: expected integer, got string" in line


def test_a_source_is_made_and_removed(run: Run, world: World) -> None:
    objects(run("set", "new", "write_keys=wk_new", "--destination", "eu-west-1/events"))
    objects(run("set", "new", "--destination", "others", "ordering=strict"))
    [source] = world.store().latest().sources().values()
    assert [(each.region, each.stream_name) for each in source.destinations] == [
        ("eu-west-1", "events"),
        ("us-west-2", "others"),
    ]
    [told] = objects(run("remove", "new", "--destination", "events"))
    assert {each["field"] for each in told["changes"]} == {
        "eu-west-1/events: stream_name",
        "eu-west-1/events: region",
    }
    objects(run("remove", "new", "--if-version", str(told["version"])))
    assert world.store().latest().sources() == {}
    assert "no source 'new'" in refused(run("remove", "new"))


def test_a_secret_id_comes_from_a_pipe_or_a_file_and_never_from_the_command_line(
    run: Run, plain: str, world: World, tmp_path: Path
) -> None:
    run("import", plain)
    path = tmp_path / "secret"
    path.write_text("from-a-file\n", encoding="utf-8")

    def secret() -> str | None:
        return world.store().latest().sources()[hashed(KEYS[0])].destinations[0].secret_id

    to = ("set", "web", "--destination", "events")
    [told] = objects(run(*to, "--secret-id", stdin="from-a-pipe\n"))
    assert told["changes"] == [{"field": "us-west-2/events: secret_id", "old": "set", "new": "set again"}]
    assert secret() == "from-a-pipe"
    objects(run(*to, "--secret-id-file", str(path)))
    assert secret() == "from-a-file"
    assert "give one of" in refused(run(*to, "--secret-id", "--secret-id-file", str(path)))
    assert "the Secret ID is empty" in refused(run(*to, "--secret-id", stdin="\n"))
    assert "give --secret-id" in refused(run(*to, f"secret_id={SECRETS[1]}"))
    objects(run(*to, "secret_id="))
    assert secret() is None


def test_on_a_terminal_a_secret_id_is_asked_for_unseen(
    run: Run, plain: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("import", plain)
    asked: list[dict[str, Any]] = []

    def prompt(text: str, **how: Any) -> str:
        asked.append({"text": text, **how})
        return "typed-unseen"

    monkeypatch.setattr("typer.prompt", prompt)
    objects(run("set", "web", "--destination", "events", "--secret-id", stdin=Terminal()))
    assert asked == [{"text": "Secret ID", "hide_input": True, "err": True}]
    assert world.store().latest().sources()[hashed(KEYS[0])].destinations[0].secret_id == "typed-unseen"


def test_the_history_tells_who_changed_what_and_when(run: Run, plain: str) -> None:
    run("import", plain)
    run("set", "web", f"write_keys-={KEYS[0]}")
    run("remove", "app")
    history = objects(run("history"))
    assert [(each["version"], each["source"]) for each in history] == [
        (3, "app"),
        (2, "web"),
        (1, "app"),
        (1, "web"),
    ]
    [change, _] = objects(run("history", "web"))
    assert change["changes"] == [
        {"field": "write_keys", "old": [shown(each) for each in KEYS[:2]], "new": [shown(KEYS[1])]}
    ]
    assert change["changed_by"].startswith("arn:aws:sts::123456789012:")
    assert change["changed_at"].endswith("Z")


def test_the_history_forgets_after_400_days(run: Run, plain: str, world: World) -> None:
    import time

    run("import", plain)
    item = world.dynamodb.get_item(TableName=NAME, Key=key("history", f"{1:015d}.000"))["Item"]
    days = (int(item["expires"]["N"]) - time.time()) / 86_400
    assert days == pytest.approx(400, abs=0.01)


def test_a_store_is_validated_as_the_forwarder_reads_it(
    run: Run, plain: str, world: World, tmp_path: Path
) -> None:
    assert run("validate", plain)[1] == f"{plain}: valid, 2 sources with 2 destinations\n"
    run("import", plain)
    at = f"dynamodb://{NAME}"
    assert run("validate", at)[1] == f"{at}: valid, 2 sources with 2 destinations\n"
    broken = tmp_path / "broken.toml"
    broken.write_text(PLAIN.replace("eu-west-1", "europe"), encoding="utf-8")
    where = f"{broken}: sources[2] ('app').destinations[1] ('events'): region is 'europe'"
    assert where in refused(run("validate", str(broken)))
    assert where in refused(run("import", str(broken)))
    assert "no such file" in refused(run("validate", str(tmp_path / "none.toml")))
    item = world.dynamodb.get_item(TableName=NAME, Key=key("source", "web"))["Item"]
    item["settings"]["S"] = item["settings"]["S"].replace('"events"', '"others"')
    world.dynamodb.put_item(TableName=NAME, Item=item)
    assert "for 'others' cannot be decrypted" in refused(run("validate", at), 1)


def test_a_table_without_a_key_of_ones_own_needs_one_named(run: Run, plain: str, world: World) -> None:

    world.dynamodb.delete_table(TableName=NAME)
    make_table(world.dynamodb, None, NAME)
    assert "give one for Secret IDs with --key" in refused(run("import", plain))
    assert objects(run("import", plain, "--key", world.key_arn))[0]["new"] == 2
    assert world.store().latest().sources()[hashed(KEYS[0])].destinations[0].secret_id == SECRETS[0]


def test_on_a_terminal_it_is_for_the_eye(run: Run, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import", plain)
    monkeypatch.setattr("headgate.cli.settings_output._in_a_pipe", lambda: False)
    monkeypatch.setenv("COLUMNS", "140")
    for arguments, said in {
        ("list",): "web     Website  2           us-west-2/events  1        2",
        ("show", "web"): f"write_keys: {shown(KEYS[0])}, {shown(KEYS[1])}\n",
        (
            "set",
            "web",
            "enabled=false",
        ): "the source 'web' was changed in version 2\n  enabled: true -> false\n",
        ("set", "web", "enabled=false "): "the source 'web' is as it was\n",
        ("history", "web"): "  enabled: true -> false\n",
        ("import", plain): "0 new, 1 changed, 1 as they were; 0 that are not in the file stay\n",
        ("remove", "web"): "the source 'web' was removed in version 4\n",
    }.items():
        status, out, err = run(*arguments)
        assert (status, err) == (0, "")
        assert said in out


def test_no_secret_is_in_any_answer_log_table_dump_export_or_history(
    run: Run,
    plain: str,
    world: World,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG, logger="headgate")
    secret = tmp_path / "secret"
    secret.write_text(SECRETS[1], encoding="utf-8")
    to = ("set", "web", "--destination", "events")
    commands: list[tuple[int, *tuple[str, ...]]] = [
        (0, "import", plain),
        (0, "set", "web", f"write_keys+={KEYS[2]}"),
        (0, "set", "web", f"write_keys-={KEYS[0]}"),
        (2, "set", "web", "write_keys-=wk_planted_nowhere"),
        (2, "set", "app", f"write_keys+={KEYS[1]}"),
        (2, "set", "web", f"write_keys={KEYS[1]},{KEYS[1]},,"),
        (0, *to, "--secret-id-file", str(secret)),
        (2, *to, f"secret_id={SECRETS[0]}"),
        (2, *to, "role_address=", "--secret-id-file", str(secret)),
        (1, "import", plain, "--key", "alias/nowhere"),
        (0, "list"),
        (0, "show", "web"),
        (0, "export"),
        (0, "history"),
        (0, "validate", f"dynamodb://{NAME}"),
        (0, "remove", "web"),
        (0, "history", "web"),
    ]
    told = []
    for in_a_pipe in (True, False):
        monkeypatch.setattr("headgate.cli.settings_output._in_a_pipe", lambda answer=in_a_pipe: answer)
        for expected, *command in commands:
            status, *said = run(*command)
            assert status == expected, command
            told += [*said, world.dump()]
    everything = "\n".join([*told, caplog.text])
    assert shown(KEYS[0]) in everything
    for planted in (*SECRETS, *KEYS, "wk_planted"):
        assert planted not in everything
