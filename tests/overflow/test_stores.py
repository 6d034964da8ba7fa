"""What a command takes out of a queue is hidden while it is held; it leaves when it is in, or comes back."""

from datetime import UTC, datetime

import pytest

from headgate.overflow import packs, stores
from headgate.overflow.dead_letters import DeadLetter, QueueDeadLetters
from headgate.overflow.queue import Message, Queue, QueueFault
from headgate.overflow.stores import LETTERS, RECORDS, UNREADABLE, WAITING, Form, Portion, QueueStore
from tests.overflow.letters import EVENTS, a_letter
from tests.overflow.sqs import Cut, Refuse, Sqs, until

HIDE, RECEIVE = "ChangeMessageVisibilityBatch", "ReceiveMessage"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator has all of its messages at hand, so that nobody has to wait for them."""
    monkeypatch.setattr(stores, "_RECEIVE_WAIT", 0)


def queue_of(sqs: Sqs, name: str) -> Queue:
    return Queue(sqs.session, sqs.create_queue(name, MessageRetentionPeriod="1209600"))


async def spill(queue: Queue, *keys: str) -> None:
    packed = packs.pack(EVENTS, [(key, b"{}") for key in keys], 200_000)
    assert all(await queue.send([each.body for each in packed.packs], 5))


async def every_portion(store: QueueStore) -> list[Portion]:
    return [portion async for portions in store.portions() for portion in portions]


def keys_of(letters: list[DeadLetter]) -> list[str]:
    return sorted(each.partition_key for each in letters)


async def test_what_was_looked_at_is_hidden_until_the_store_is_closed_and_then_is_there_as_before(
    sqs: Sqs, name: str
) -> None:
    queue = queue_of(sqs, name)
    for number in range(25):
        await QueueDeadLetters(queue).put([a_letter(key=f"key-{number}")])
    async with QueueStore(queue, LETTERS) as store:
        assert await store.total() == 25
        found = [letter for portion in await every_portion(store) for letter in portion.letters]
        assert len(set(keys_of(found))) == len(found) == 25
        assert sqs.counts(queue.url) == (0, 25)
    assert sqs.counts(queue.url) == (25, 0)


async def test_records_that_wait_are_letters_as_old_as_their_message(one_sqs: Sqs, name: str) -> None:
    queue = queue_of(one_sqs, name)
    begun = datetime.now(UTC)
    await spill(queue, "a", "b")
    async with QueueStore(queue, RECORDS) as store:
        [portion] = await every_portion(store)
    assert [(each.origin, each.partition_key, each.code) for each in portion.letters] == [
        (EVENTS, "a", WAITING),
        (EVENTS, "b", WAITING),
    ]
    assert all(abs((each.time - begun).total_seconds()) < 30 for each in portion.letters)


@pytest.mark.parametrize("form", [LETTERS, RECORDS], ids=["letters", "records"])
async def test_what_is_left_of_a_message_is_in_a_new_one_before_the_old_one_is_deleted(
    sqs: Sqs, name: str, form: Form
) -> None:
    queue = queue_of(sqs, name)
    if form is LETTERS:
        await QueueDeadLetters(queue).put([a_letter(key=key) for key in "abc"])
    else:
        await spill(queue, *"abc")
    sqs.proxy.calls.clear()
    async with QueueStore(queue, form) as store:
        async for portions in store.portions():
            [portion] = portions
            assert await portion.take_out([False, True, False])
    changes = [call.operation for call in sqs.proxy.calls if call.operation.endswith("MessageBatch")]
    assert changes == ["SendMessageBatch", "DeleteMessageBatch"]
    [body] = sqs.bodies(queue.url)
    assert keys_of(form.unpack(Message("", body, "", 1, 0.0))) == ["a", "c"]


async def test_what_nobody_can_read_is_a_letter_without_an_origin(one_sqs: Sqs, name: str) -> None:
    queue = queue_of(one_sqs, name)
    await spill(queue, "a")
    await queue.send(["no pack"], 5)
    async with QueueStore(queue, LETTERS) as store:
        letters = [letter for portion in await every_portion(store) for letter in portion.letters]
    assert [(each.origin, each.code) for each in letters] == [(None, UNREADABLE)] * 2
    assert b"no pack" in {each.data for each in letters}


async def test_what_comes_meanwhile_is_for_the_next_run_and_hides_nothing_older(
    one_sqs: Sqs, name: str
) -> None:
    queue = queue_of(one_sqs, name)
    letters = QueueDeadLetters(queue)
    await letters.put([a_letter(key="old")])
    seen = []
    async with QueueStore(queue, LETTERS) as store:
        async for portions in store.portions():
            seen += [letter for portion in portions for letter in portion.letters]
            if len(seen) == 1:
                for _ in range(15):
                    await letters.put([a_letter(key="new")])
    assert keys_of(seen) == ["old"]
    assert one_sqs.counts(queue.url) == (16, 0)


async def test_a_message_that_is_held_for_long_stays_hidden(
    one_sqs: Sqs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "HIDDEN_SECONDS", 2)
    queue = queue_of(one_sqs, name)
    await QueueDeadLetters(queue).put([a_letter()])
    async with QueueStore(queue, LETTERS) as store:
        found = [portion async for portions in store.portions() for portion in portions]
        # Longer than it would stay hidden if nobody extended that.
        await until(lambda: len(one_sqs.proxy.calls_of(HIDE)) >= 4)
        assert one_sqs.counts(queue.url) == (0, 1)
    assert len(found) == 1


async def test_a_fault_of_sqs_that_passes_ends_nothing_and_one_that_stays_ends_it(
    one_sqs: Sqs, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_of(one_sqs, name)
    await QueueDeadLetters(queue).put([a_letter()])
    one_sqs.proxy.trouble(RECEIVE, Refuse(), Cut(accepted=False), Refuse("InternalError", 500))
    async with QueueStore(queue, LETTERS, spread=lambda: 0.0) as store:
        assert len(await every_portion(store)) == 1
    assert one_sqs.counts(queue.url) == (1, 0)
    for refusal, calls in ((Refuse("AccessDenied"), 1), (Refuse(), 5)):
        one_sqs.proxy.calls.clear()
        one_sqs.proxy.always(RECEIVE, refusal)
        with pytest.raises(QueueFault, match=refusal.code):
            await every_portion(QueueStore(queue, LETTERS, spread=lambda: 0.0))
        assert len(one_sqs.proxy.calls_of(RECEIVE)) == calls
