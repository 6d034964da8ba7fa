"""However sending from the console ends: a letter is in its stream or still in its store."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.console.letters import letterbox
from headgate.console.letters.forms import Filters
from headgate.console.letters.letterbox import Letterbox
from headgate.console.letters.work import Bundle
from headgate.errors import UsageError
from headgate.overflow.letter_file import FileDeadLetters
from headgate.overflow.places import Place
from headgate.testing import CutAnswer, FailRecords, FakeKinesis, HangConnection, ResetConnection
from tests.console.letters.letters import SOURCES, STREAMS, in_streams, left
from tests.overflow.letters import EVENTS, OTHERS, TIME, a_letter

TROUBLE = {
    "none": (),
    "records fail": (FailRecords(probability=0.3),),
    "an answer is lost": (ResetConnection(accepted=True, times=1), CutAnswer(times=1)),
    "no answer comes": (HangConnection(accepted=True, probability=0.5),),
}


@pytest.fixture(scope="module")
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis(streams=STREAMS) as kinesis, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in kinesis.environment().items():
            patch.setenv(name, value)
        patch.setattr(letterbox, "END_WITHIN", 0.3)
        yield kinesis


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2**32).map(random.Random),
    st.sampled_from(sorted(TROUBLE)),
    st.sampled_from(["stopped", "closed", "left alone"]),
)
def test_each_letter_is_in_its_stream_or_in_its_store(
    kinesis: FakeKinesis, tmp_path: Path, chance: random.Random, trouble: str, end: str
) -> None:
    kinesis.reset()
    path, sources = tmp_path / "dead.jsonl", tmp_path / "sources.toml"
    path.unlink(missing_ok=True)
    sources.write_text(SOURCES)
    keys = [f"key-{number}" for number in range(chance.randint(1, 60))]
    letters = [a_letter(chance.choice([EVENTS, EVENTS, OTHERS, None]), key) for key in keys]
    asyncio.run(FileDeadLetters(path).put(letters))
    for fault in TROUBLE[trouble]:
        kinesis.faults.add(fault)
    bundle = Bundle(
        asked=chance.choice([Filters(), Filters(source="src"), Filters(stream="others")]).selection(TIME),
        said="some",
        most=chance.choice([None, 7]),
        per_second=chance.choice([None, 100]),
    )
    # A hanging request is waited for until it is stopped.
    ended = "stopped" if trouble == "no answer comes" and end == "left alone" else end

    async def work() -> None:
        box = Letterbox(
            Place(dead_letter_file=path), str(sources), botocore.session.get_session(), patience=0.1
        )
        counting = box.count(bundle)
        await counting.over.wait()
        sending = box.send(counting.number)
        with pytest.raises(UsageError, match="letters are being sent"):
            box.send(counting.number)
        await asyncio.sleep(chance.random() * 0.1)
        if ended == "stopped":
            sending.end()
        if ended != "closed":
            await asyncio.wait_for(sending.over.wait(), 20)
        await box.close()
        assert sending.over.is_set()

    asyncio.run(work())
    kinesis.faults.clear()
    kept, sent = left(path), in_streams(kinesis)
    assert set(kept) | set(sent) == set(keys)
    assert set(sent) <= {each.partition_key for each in letters if bundle.asked.fits(each)}
    assert bundle.most is None or len(set(sent)) <= bundle.most
    # Whoever is stopped waits for answers as long as its patience lasts, so a letter may be in both.
    if trouble in ("none", "records fail") and ended == "left alone":
        assert sorted(kept + sent) == sorted(keys)
