"""A queue: what counts as sent is there, what is worth it is tried again, and nothing waits for ever."""

import asyncio
import time

import pytest

from headgate.errors import UsageError
from headgate.metrics import names
from headgate.metrics.store import Metrics
from headgate.overflow.queue import CAUTIOUS_LIMIT, Attributes, Queue, QueueFault, region_of
from tests.overflow.sqs import Cut, FailEntries, Garbage, Refuse, Slow, Sqs, Trouble

SEND = "SendMessageBatch"


def queue(sqs: Sqs, name: str, metrics: Metrics | None = None, **attributes: str) -> Queue:
    return Queue(sqs.session, sqs.create_queue(name, **attributes), metrics, spread=lambda: 0.0)


async def test_messages_are_received_held_and_deleted(sqs: Sqs, name: str) -> None:
    made = queue(sqs, name)
    begun = time.time()
    assert await made.send(["one", "two"], 5) == [True, True]
    first = await made.receive(10, wait=1, hidden=30)
    first += await made.receive(10, wait=1, hidden=30) if len(first) < 2 else []
    assert sorted(message.body for message in first) == ["one", "two"]
    assert [message.receives for message in first] == [1, 1]
    assert all(abs(message.sent_at - begun) < 10 for message in first)
    assert await made.receive(10, wait=0, hidden=30) == []
    assert await made.hide([message.receipt for message in first], 0) == [True, True]
    [again] = await made.receive(1, wait=1, hidden=30)
    assert again.receives == 2
    assert await made.delete([again.receipt]) == [True]
    [left] = await made.receive(10, wait=1, hidden=30)
    assert {left.body, again.body} == {"one", "two"}
    assert sqs.counts(made.url) == (0, 1)


async def test_batches_hold_ten_messages_and_a_mebibyte_at_most(sqs: Sqs, name: str) -> None:
    made = queue(sqs, name, MaximumMessageSize="1048576")
    bodies = ["x" * 400_000] * 3 + ["y" * 1_048_576] + [f"{number}" for number in range(23)]
    assert await made.send(bodies, 20) == [True] * len(bodies)
    batches = [[len(each["MessageBody"]) for each in call.entries] for call in sqs.proxy.calls_of(SEND)]
    assert sorted(map(len, batches)) == [1, 1, 2, 3, 10, 10]
    assert all(sum(sizes) <= 1_048_576 for sizes in batches)
    assert sorted(sqs.bodies(made.url)) == sorted(bodies)


async def test_only_the_entries_that_failed_are_sent_again(sqs: Sqs, name: str) -> None:
    made = queue(sqs, name)
    sqs.proxy.trouble(SEND, FailEntries(3), FailEntries(1))
    bodies = [str(number) for number in range(5)]
    assert await made.send(bodies, 5) == [True] * 5
    sent = [[each["MessageBody"] for each in call.entries] for call in sqs.proxy.calls_of(SEND)]
    assert sent == [bodies, bodies[:3], bodies[:1]]
    assert sorted(sqs.bodies(made.url)) == bodies


async def test_an_entry_that_the_sender_is_to_blame_for_is_given_up_and_the_others_are_in(
    sqs: Sqs, name: str
) -> None:
    metrics = Metrics()
    made = queue(sqs, name, metrics)
    sqs.proxy.trouble(SEND, FailEntries(1, "InvalidMessageContents", sender_fault=True))
    assert await made.send(["one", "two"], 5) == [False, True]
    assert len(sqs.proxy.calls_of(SEND)) == 1
    assert sqs.bodies(made.url) == ["two"]
    assert metrics.counter(names.QUEUE_FAILURES).value == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Refuse("RequestThrottled", 403),
        Refuse("ThrottlingException", 400),
        Refuse("OverLimit", 403),
        Refuse("InternalFailure", 500),
        Refuse("ServiceUnavailable", 503),
        Cut(accepted=False),
        Garbage(),
        Slow(0.2),
    ],
    ids=repr,
)
async def test_what_passes_is_tried_again_until_it_has_passed(
    one_sqs: Sqs, name: str, trouble: Trouble
) -> None:
    made = queue(one_sqs, name)
    one_sqs.proxy.trouble(SEND, trouble, trouble)
    assert await made.send(["one"], 5) == [True]
    assert one_sqs.bodies(made.url) == ["one"]


async def test_a_message_whose_answer_was_lost_may_be_there_twice_but_counts_once(
    one_sqs: Sqs, name: str
) -> None:
    made = queue(one_sqs, name)
    one_sqs.proxy.trouble(SEND, Cut(accepted=True))
    assert await made.send(["one"], 5) == [True]
    assert set(one_sqs.bodies(made.url)) == {"one"}


@pytest.mark.parametrize("trouble", [Refuse("AccessDenied", 403), Refuse("QueueDoesNotExist", 400)], ids=repr)
async def test_what_somebody_has_to_mend_is_not_tried_again(one_sqs: Sqs, name: str, trouble: Refuse) -> None:
    made = queue(one_sqs, name)
    one_sqs.proxy.always(SEND, trouble)
    assert await made.send(["one", "two"], 5) == [False, False]
    assert len(one_sqs.proxy.calls_of(SEND)) == 1
    one_sqs.proxy.always("ReceiveMessage", trouble)
    with pytest.raises(QueueFault) as fault:
        await made.receive(1, wait=0, hidden=30)
    assert (fault.value.code, fault.value.passing) == (trouble.code, False)


@pytest.mark.parametrize("trouble", [Refuse(), Slow(30), Cut(accepted=False)], ids=repr)
async def test_in_time_it_is_said_that_a_queue_takes_nothing(
    one_sqs: Sqs, name: str, trouble: Trouble
) -> None:
    metrics = Metrics()
    made = queue(one_sqs, name, metrics)
    one_sqs.proxy.always(SEND, trouble)
    begun = asyncio.get_running_loop().time()
    assert await made.send(["one"], 0.5) == [False]
    assert asyncio.get_running_loop().time() - begun < 3
    assert metrics.counter(names.QUEUE_FAILURES).value >= 1


async def test_of_two_batches_the_one_that_is_in_counts_though_the_other_hangs(
    one_sqs: Sqs, name: str
) -> None:
    made = queue(one_sqs, name)
    one_sqs.proxy.trouble(SEND, Slow(30))
    sent = await made.send(["x"] * 20, 1.0)
    assert sorted([sent[:10], sent[10:]]) == [[False] * 10, [True] * 10]


async def test_a_queue_says_what_it_takes(sqs: Sqs, name: str) -> None:
    made = queue(sqs, name, MaximumMessageSize="123456", MessageRetentionPeriod="86400")
    assert await made.attributes() == Attributes(123_456, 86_400.0, redrives=False)
    await made.attributes()
    assert len(sqs.proxy.calls_of("GetQueueAttributes")) == 1


async def test_a_redrive_policy_is_seen(sqs: Sqs, name: str) -> None:
    dead = sqs.create_queue(f"{name}-dead")
    arn = sqs.client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    made = queue(sqs, name, RedrivePolicy=f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "3"}}')
    assert (await made.attributes()).redrives


async def test_where_a_queue_may_not_be_asked_its_messages_are_of_a_size_that_every_queue_took(
    one_sqs: Sqs, name: str
) -> None:
    made = queue(one_sqs, name)
    one_sqs.proxy.always("GetQueueAttributes", Refuse("AccessDenied"))
    assert await made.attributes() == Attributes(CAUTIOUS_LIMIT)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", "eu-west-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/111122223333/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "cn-north-1"),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/q", "eu-west-1"),
        ("https://vpce-1-2.sqs.us-east-1.vpce.amazonaws.com/111122223333/q", "us-east-1"),
        ("http://127.0.0.1:4566/000000000000/q", None),
    ],
)
def test_the_region_stands_in_the_url(url: str, region: str | None) -> None:
    assert region_of(url) == region


@pytest.mark.parametrize(
    "url", ["", "queue", "arn:aws:sqs:eu-west-1:111122223333:q", "https://sqs.eu-west-1.amazonaws.com/q.fifo"]
)
def test_what_is_no_standard_queues_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="allowed"):
        region_of(url)
