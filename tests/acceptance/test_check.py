"""`headgate check` on set-ups that are broken, and on some that are not: its lines, its status, no secret."""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.embedded_aws import Credentials, EmbeddedAws, embedded_aws
from demo.forwarder import HEADGATE
from demo.story import OWNER, REGION
from headgate.cli import app
from tests.acceptance import broken
from tests.acceptance.broken import SECRET_ID, SECRETS, SOURCE_ID, TABLE, Make, Run, Where, toml, trust, what
from tests.acceptance.operate import check_example, check_row, rows
from tests.aws_surroundings import moto_server

EXAMPLES = {
    broken.secret_id_for_source_id: "Access denied",
    broken.no_condition: "A customer's role changed",
    broken.another_region: "Wrong region or stream",
}
"""Set-ups that stand under a heading of the document with all that is printed of them."""
LINE = re.compile(r"  (?P<sign>[✓✗?-]) (?P<step>[a-z]+) +\d+\.\d\d s  (?P<said>.*)")


@dataclass(frozen=True)
class Ended:
    status: int
    output: str
    errors: str

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """The steps that were printed: sign, name, text."""
        found = [LINE.fullmatch(line) for line in self.output.splitlines() if line.startswith("  ")]
        return [each.group("sign", "step", "said") for each in found if each is not None]

    @property
    def signs(self) -> dict[str, str]:
        return {step: sign for sign, step, _ in self.lines}

    @property
    def wrong(self) -> list[str]:
        """What was printed of what is wrong: the crossed lines, or the error that ended the command."""
        crossed = [f"{step}: {said}" for sign, step, said in self.lines if sign == "✗"]
        return crossed + self.errors.splitlines()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedAws, str]]:
    with embedded_aws(tmp_path_factory.mktemp("check")) as aws, moto_server() as moto:
        yield aws, moto


@pytest.fixture
def where(servers: tuple[EmbeddedAws, str]) -> Iterator[Where]:
    with contextlib.ExitStack() as started:
        yield Where(*servers, started)


class Terminal(io.StringIO):
    """One without colours and without a spinner."""

    def isatty(self) -> bool:
        return True


def check(run: Run, directory: Path, *options: str) -> Ended:
    """Run the command in this process, on a terminal."""
    if run.sources is not None:
        (directory / "sources.toml").write_text(run.sources, encoding="utf-8")
    output, errors = Terminal(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(directory):
        for name in [each for each in os.environ if each.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in _shut_in(run.environment).items():
            patch.setenv(name, value)
        patch.setenv("TERM", "dumb")
        patch.setattr(sys, "argv", ["headgate", "check", *run.options, *options])
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        with pytest.raises(SystemExit) as ended:
            app.run()
    status = ended.value.code or 0
    assert isinstance(status, int)
    return Ended(status, output.getvalue(), errors.getvalue())


def _shut_in(environment: Mapping[str, str]) -> dict[str, str]:
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    return nothing | {name: value for name, value in environment.items() if name.startswith("AWS_")}


@pytest.mark.parametrize(
    ("part", "make"),
    [(part, make) for part, makes in TABLE.items() for make in makes],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_broken_set_up_is_one_line(where: Where, tmp_path: Path, part: str, make: Make) -> None:
    run = make(where)
    ended = check(run, tmp_path)
    [line] = ended.wrong
    assert ended.status == (2 if ended.errors else 1)
    check_row(part, what(make), line)
    if make in EXAMPLES:
        check_example(EXAMPLES[make], ended.output)
    for secret in SECRETS:
        assert secret not in ended.output + ended.errors
    if not run.options:
        puts = [kinesis.ledger.calls[each] for kinesis in where.fakes for each in ("PutRecords", "PutRecord")]
        assert not any(puts), "nothing is written, and nothing is even asked to be, without --put"


def test_the_document_lists_every_set_up_and_no_other() -> None:
    assert {part: [*lines] for part, lines in rows().items()} == {
        part: [what(make) for make in makes] for part, makes in TABLE.items()
    }
    assert sum(map(len, TABLE.values())) >= 25


def test_the_three_documented_actions_are_enough_and_what_they_cannot_tell_is_said(
    where: Where, tmp_path: Path
) -> None:
    where.stream("minimal")
    role = where.role("minimal", stream="minimal")
    ended = check(Run(toml(role_address=role, stream_name="minimal"), where.caller("minimal")), tmp_path)
    check_example("Is it delivering?", ended.output)
    assert (ended.status, ended.wrong) == (0, [])
    assert [sign for sign, _, _ in ended.lines] == ["✓"] * 5 + ["?"] * 3
    assert where.records_of("minimal") == []


def test_a_put_that_the_service_writes_is_told_and_read_back(where: Where, tmp_path: Path) -> None:
    where.stream("written")
    run = Run(toml(stream_name="written"), where.admin("writes"), ["--put"])
    ended = check(run, tmp_path)
    assert (ended.status, ended.signs) == (0, dict.fromkeys(ended.signs, "✓"))
    [record] = where.records_of("written")
    event = json.loads(record["Data"])
    said = ended.lines[-1][2]
    for told in (event["messageId"], record["PartitionKey"], record["SequenceNumber"], "and read back"):
        assert told in said
    assert (event["type"], event["event"]) == ("track", "Headgate Check")
    assert f"{len(record['Data'])} bytes" in said


def test_a_key_that_lets_the_role_by_its_own_policy_is_enough(where: Where, tmp_path: Path) -> None:
    kms = where.aws.client("kms", where.aws.root(OWNER), REGION)
    where.stream("own-key")
    role = where.role("named-by-key", trust(principal=OWNER), stream="own-key")
    lets = [
        {"Effect": "Allow", "Principal": {"AWS": who}, "Action": action, "Resource": "*"}
        for who, action in ((role, "kms:GenerateDataKey"), (f"arn:aws:iam::{OWNER}:root", "kms:*"))
    ]
    key = kms.create_key(Policy=broken.document(*lets))["KeyMetadata"]["Arn"]
    kinesis = where.aws.client("kinesis", where.aws.root(OWNER), REGION)
    kinesis.start_stream_encryption(StreamName="own-key", EncryptionType="KMS", KeyId=key)
    ended = check(Run(toml(role_address=role, stream_name="own-key"), where.admin("owns-key")), tmp_path)
    assert ended.status == 0
    assert ended.lines[-1] == ("✓", "key", f"kms:GenerateDataKey allowed on {key} by the key's own policy")


def test_a_put_with_dry_run_writes_nothing_and_says_so(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 4})
    kinesis.identities.simulate(dict.fromkeys(("kinesis:PutRecords", "kinesis:PutRecord"), "allowed"))
    run = Run(toml(role_address=where.fake_role(kinesis)), kinesis.environment(), ["--put"])
    ended = check(run, tmp_path)
    assert (ended.status, ended.signs) == (0, dict.fromkeys(ended.signs, "✓"))
    assert "4 open shards" in ended.lines[5][2]
    assert "nothing was written" in ended.lines[-1][2]
    assert kinesis.ledger.calls["PutRecords"] == 1
    assert not kinesis.ledger.records()


def test_a_trust_policy_that_can_be_read_goes_before_an_attempt(where: Where, tmp_path: Path) -> None:
    role = broken.on_moto(where, "closed", trust(principal=broken.MOTOS_ACCOUNT))
    ended = check(Run(toml(role_address=role), broken.environment_of(where.moto)), tmp_path)
    assert (ended.status, ended.wrong) == (0, [])  # though moto lets in without an External ID
    assert ended.signs["trust"] == "✓"


def test_without_a_role_nothing_but_kinesis_is_needed(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 1})
    out_of_reach = dict.fromkeys(("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"), broken.UNREACHABLE)
    environment = kinesis.environment() | out_of_reach | {"AWS_MAX_ATTEMPTS": "1"}
    ended = check(Run(toml(), environment, ["--put"]), tmp_path)
    assert ended.status == 0
    assert ended.signs == {
        "settings": "✓",
        "region": "✓",
        "caller": "?",
        "stream": "✓",
        "permissions": "?",
        "key": "✓",
        "put": "✓",
    }


def test_the_tasks_own_role_is_asked_for_by_its_path(where: Where, tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/tasks/forwarder"
    iam = EmbeddedAws(where.moto).client("iam", Credentials(*broken.KEYS_OF_MOTO))
    iam.create_role(RoleName="forwarder", Path="/tasks/", AssumeRolePolicyDocument=broken.document(trust()))
    kinesis = where.fake(streams={"events": 1})
    kinesis.identities.simulate({})
    session = broken.assumed_on(kinesis, where.fake_role(kinesis, name="forwarder"))
    ended = check(Run(toml(), session | {"AWS_ENDPOINT_URL_IAM": where.moto}), tmp_path)
    assert role in ended.lines[-2][2]


def test_every_destination_is_checked_and_one_that_is_wrong_is_enough(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 1})
    run = Run(toml() + toml("another", stream_name="evnets").replace("wk_1", "wk_2"), kinesis.environment())
    ended = check(run, tmp_path)
    assert ended.status == 1
    headings = [line for line in ended.output.splitlines() if not line.startswith("  ")]
    assert headings == [
        "8kf3Qw2LpZ to events in us-west-2",
        "another to evnets in us-west-2",
        "Something is wrong with 1 of 2 destinations.",
    ]
    assert check(run, tmp_path, "--source", "8kf3Qw2LpZ").status == 0
    assert check(run, tmp_path, "--source", "another").status == 1


def test_a_source_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    ended = check(Run(toml(), {}), tmp_path, "--source", "website")
    assert (ended.status, ended.output) == (2, "")
    assert ended.errors == "headgate: --source: no source has the ID 'website'; there are: 8kf3Qw2LpZ\n"


def test_json_is_one_object_with_every_step(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 1})
    role = where.fake_role(kinesis)
    run = Run(toml(role_address=role, secret_id=SECRET_ID), kinesis.environment())
    ended = check(run, tmp_path, "--json")
    assert (ended.status, ended.errors) == (1, "")
    assert SECRET_ID not in ended.output
    told = json.loads(ended.output)
    [destination] = told["destinations"]
    steps = destination.pop("steps")
    assert (told["ok"], destination) == (
        False,
        {
            "source_id": SOURCE_ID,
            "region": REGION,
            "stream_name": "events",
            "role_address": role,
            "ok": False,
        },
    )
    assert {step["step"]: step["state"] for step in steps} == {
        "settings": "ok",
        "region": "ok",
        "caller": "ok",
        "role": "failed",
        "trust": "skipped",
        "stream": "skipped",
        "permissions": "skipped",
        "key": "skipped",
    }
    assert all(step.keys() == {"step", "state", "seconds", "detail", "fix"} for step in steps)
    assert all(step["fix"] for step in steps if step["state"] == "failed")


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_it_is_for_the_eye(
    where: Where, tmp_path: Path, more: dict[str, str], coloured: bool
) -> None:
    kinesis = where.fake(streams={"events": 1})
    (tmp_path / "sources.toml").write_text(toml(), encoding="utf-8")
    ours, theirs = pty.openpty()
    environment = os.environ | kinesis.environment() | {"TERM": "xterm", "LANG": "C.UTF-8"} | more
    ended = subprocess.run([HEADGATE, "check"], env=environment, cwd=tmp_path, stdout=theirs, timeout=60)
    os.set_blocking(ours, False)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 0
    assert "✓" in shown
    assert ("\x1b[1;32m" in shown) is coloured


def test_in_a_pipe_each_step_is_a_json_object_on_a_line(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 1})
    sources = toml() + toml("another", stream_name="evnets").replace("wk_1", "wk_2")
    (tmp_path / "sources.toml").write_text(sources, encoding="utf-8")
    environment = os.environ | kinesis.environment()
    ended = subprocess.run(
        [HEADGATE, "check"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, ended.stderr) == (1, "")
    assert lines[0] | {"seconds": 0, "detail": ""} == {
        "source_id": SOURCE_ID,
        "region": REGION,
        "stream_name": "events",
        "role_address": None,
        "step": "settings",
        "state": "ok",
        "seconds": 0,
        "detail": "",
        "fix": None,
    }
    [wrong] = [line for line in lines if line["state"] == "failed"]
    assert (wrong["source_id"], wrong["stream_name"], wrong["step"]) == ("another", "evnets", "stream")


def test_in_a_pipe_that_closes_it_ends_without_a_traceback(where: Where, tmp_path: Path) -> None:
    kinesis = where.fake(streams={"events": 1})
    (tmp_path / "sources.toml").write_text(toml(), encoding="utf-8")
    environment = os.environ | kinesis.environment()
    with subprocess.Popen(
        [HEADGATE, "check"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(60)
        assert process.stderr is not None
        assert process.stderr.read() == b""
