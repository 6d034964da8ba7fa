"""The file of dead letters: what counts as kept is there, whoever else writes and however a writer ends."""

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.dead_letters import REASON_CHARACTERS, DeadLetter, letter, pack, unpack
from headgate.overflow.letter_file import FileDeadLetters, read, take_out
from headgate.overflow.origin import Origin
from headgate.overflow.packs import ROOM_FOR_REASON
from headgate.overflow.packs import pack as pack_records

ORIGIN = Origin(source_id="src", region="us-west-2", stream_name="events", role_address=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_letter(key: str, data: bytes = b"{}") -> DeadLetter:
    return letter(ORIGIN, (key, data), code="undeliverable", message="no good", time=TIME)


def keys(path: Path) -> list[str]:
    return [each.partition_key for _, each in read(path)[0]]


@given(TEXT, st.binary(max_size=500), TEXT, TEXT, st.sampled_from([ORIGIN, None]))
def test_a_letter_comes_back_as_it_was_out_of_a_line_and_out_of_a_message(
    key: str, data: bytes, code: str, message: str, origin: Origin | None
) -> None:
    made = letter(origin, (key, data), code=code, message=message, time=TIME)
    line = msgspec.json.encode(made)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=DeadLetter) == made
    [one] = pack([made], 100_000).packs
    assert unpack(one.body) == [made]


@given(st.randoms(use_true_random=False))
def test_a_record_that_fits_into_an_overflow_message_fits_into_a_dead_letter_with_any_reason(
    chance: random.Random,
) -> None:
    # Noise, which gzip makes no smaller: the worst case of both.
    noise = random.Random(chance.random())
    data = noise.randbytes(noise.randrange(20_000))
    why = "".join(chr(noise.randrange(0x10000, 0x110000)) for _ in range(1_000))
    [overflow] = pack_records(ORIGIN, [("key", data)], 10**6).packs
    made = letter(ORIGIN, ("key", data), code=why, message=why, time=TIME)
    assert len(made.message) == REASON_CHARACTERS
    assert pack([made], len(overflow.body) + ROOM_FOR_REASON).too_large == []


async def test_letters_are_kept_one_a_line_for_their_owner_alone(tmp_path: Path) -> None:
    path, metrics = tmp_path / "dead.jsonl", Metrics()
    letters = FileDeadLetters(path, metrics)
    assert await letters.put([a_letter("a"), a_letter("b")])
    assert await letters.put([a_letter("c")])
    assert keys(path) == ["a", "b", "c"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert metrics.counter(names.DEAD_LETTERS).value == 3


async def test_where_the_file_cannot_be_written_nothing_counts_as_kept(tmp_path: Path) -> None:
    assert not await FileDeadLetters(tmp_path / "missing" / "dead.jsonl").put([a_letter("a")])


async def test_a_write_that_the_disk_had_no_room_for_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dead.jsonl"
    letters = FileDeadLetters(path)
    assert await letters.put([a_letter("a")])
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
    assert not await letters.put([a_letter("b")])
    assert path.read_bytes() == before


async def test_a_torn_line_is_no_letter_and_takes_none_with_it(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    letters = FileDeadLetters(path)
    await letters.put([a_letter("a")])
    with path.open("ab") as file:
        file.write(msgspec.json.encode(a_letter("torn"))[:-10])
    assert len(read(path)[1]) == 1
    await letters.put([a_letter("b")])
    assert keys(path) == ["a", "b"]
    take_out(path, [line for line, _ in read(path)[0]])
    letters, torn = read(path)
    assert (letters, len(torn)) == ([], 1)


async def test_what_was_appended_meanwhile_stays_when_lines_are_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    letters = FileDeadLetters(path)
    await letters.put([a_letter("a"), a_letter("a"), a_letter("b")])
    lines = [line for line, _ in read(path)[0]]
    await letters.put([a_letter("c")])
    take_out(path, [lines[0], lines[2]])
    assert keys(path) == ["a", "c"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.with_name("dead.jsonl.new").exists()


_APPENDING = """
import asyncio, pathlib, sys
from tests.overflow.test_letter_file import a_letter
from headgate.overflow.letter_file import FileDeadLetters
async def work():
    letters, number = FileDeadLetters(pathlib.Path(sys.argv[1])), 0
    while True:
        assert await letters.put([a_letter(f"{sys.argv[2]}-{number}", bytes(3_000))])
        print(number, flush=True)
        number += 1
asyncio.run(work())
"""


def appending(path: Path, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _APPENDING, str(path), name]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": f"{root}:{root}/runtime"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def kept(process: "subprocess.Popen[str]") -> int:
    """Kill a process that appends; return how many letters it was told are kept."""
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate(timeout=30)
    return len(output.splitlines())


def test_killed_at_any_instant_what_two_processes_were_told_is_kept_is_there(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    processes = [appending(path, "one"), appending(path, "two")]
    for process in processes:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
    told = [20 + kept(process) for process in processes]
    letters, torn = read(path)
    found = {each.partition_key for _, each in letters}
    assert len(torn) <= 2
    assert {f"one-{number}" for number in range(told[0])} <= found
    assert {f"two-{number}" for number in range(told[1])} <= found


def test_nothing_is_lost_while_one_process_appends_and_another_takes_out(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    process = appending(path, "one")
    assert process.stdout is not None
    taken: list[str] = []
    for number in range(60):
        process.stdout.readline()
        if number % 5 == 0:
            letters, _ = read(path)
            take_out(path, [line for line, _ in letters])
            taken += [each.partition_key for _, each in letters]
    told = 60 + kept(process)
    found = taken + keys(path)
    assert len(found) == len(set(found))
    assert {f"one-{number}" for number in range(told)} <= set(found)
