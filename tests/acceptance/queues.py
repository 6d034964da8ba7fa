"""Overflow and dead letters in a real SQS, and what became of every event that was in them."""

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from headgate.overflow import dead_letters, packs
from headgate.testing import FakeKinesis
from tests.overflow.sqs import KEYS, Call, Proxy, client_of, proxied

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Story:
    """What happened to a queue's messages so far; events are named by their message IDs."""

    sent: Counter[str]
    """How often each event was put into the queue."""
    received: Counter[str]
    """How often each event was taken by somebody."""
    left: Counter[str]
    """What is in messages that nobody has deleted, hidden or not."""


@dataclass(frozen=True)
class Queues:
    """Two queues, behind a proxy that sees all, and makes trouble when told to."""

    proxy: Proxy
    overflow: str
    dead_letters: str

    @property
    def options(self) -> tuple[str, ...]:
        """What `headgate serve` is told of them."""
        return ("--overflow-queue", self.overflow, "--dead-letter-queue", self.dead_letters)

    def environment(self, kinesis: FakeKinesis) -> dict[str, str]:
        """Return variables under which AWS tools find SQS here, and all else at the fake."""
        keys = {name.upper(): value for name, value in KEYS.items()}
        return kinesis.environment() | keys | {"AWS_ENDPOINT_URL_SQS": self.proxy.url}

    def story(self, url: str | None = None) -> Story:
        """Return what happened to a queue; the overflow queue where none is named."""
        calls = self._calls(url)
        messages = {
            number: _events_of(entry["MessageBody"])
            for entry, number in _successful(calls, "SendMessageBatch", "MessageId")
        }
        given, deleted = _given(calls), _deleted(calls)
        sent = itertools.chain.from_iterable(messages.values())
        received = itertools.chain.from_iterable(messages[number] for number in given.values())
        left = itertools.chain.from_iterable(
            inside for number, inside in messages.items() if number not in deleted
        )
        return Story(Counter(sent), Counter(received), Counter(left))

    def hidden(self, url: str) -> int:
        """Return how many messages of a queue somebody holds."""
        name = "ApproximateNumberOfMessagesNotVisible"
        said = client_of(self.proxy.backend).get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(said["Attributes"][name])

    def drained(self) -> bool:
        """Whether every message that came into the overflow queue is deleted."""
        calls = self._calls()
        return _deleted(calls) >= {
            number for _, number in _successful(calls, "SendMessageBatch", "MessageId")
        }

    def _calls(self, url: str | None = None) -> list[Call]:
        return [
            call for call in list(self.proxy.calls) if call.body.get("QueueUrl") == (url or self.overflow)
        ]


@contextmanager
def queues(endpoint: str, *, longest_hidden: int | None = None) -> Iterator[Queues]:
    """Make two queues behind a proxy of their own, for as long as the block lasts.

    Args:
        endpoint: an SQS.
        longest_hidden: the most seconds for which messages are hidden, whatever is asked.
    """
    name = f"kept-{os.getpid()}-{next(_NUMBERS)}"
    attributes = {"MessageRetentionPeriod": "1209600", "MaximumMessageSize": "1048576"}
    client: Any = client_of(endpoint)
    overflow, dead = (
        client.create_queue(QueueName=each, Attributes=attributes)["QueueUrl"]
        for each in (name, f"{name}-dead")
    )
    with proxied(endpoint) as proxy:
        proxy.longest_hidden = longest_hidden
        yield Queues(proxy, overflow, dead)


def _successful(calls: Sequence[Call], operation: str, member: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Give each entry of an operation's calls that succeeded, with a member of what was said of it."""
    for call in calls:
        if call.operation == operation:
            said = {each["Id"]: each[member] for each in call.answer.get("Successful", [])}
            yield from ((each, said[each["Id"]]) for each in call.entries if each["Id"] in said)


def _given(calls: Sequence[Call]) -> dict[str, str]:
    """Return the message of each receipt.

    A message may be given to a call that came before the one that brought it, and waited for it.
    """
    answered = itertools.chain.from_iterable(call.answer.get("Messages", []) for call in calls)
    return {each["ReceiptHandle"]: each["MessageId"] for each in answered}


def _deleted(calls: Sequence[Call]) -> set[str]:
    given = _given(calls)
    return {given[entry["ReceiptHandle"]] for entry, _ in _successful(calls, "DeleteMessageBatch", "Id")}


def _events_of(body: str) -> list[str]:
    try:
        data = [data for _, data in packs.unpack(body)[1]]
    except packs.Unreadable:
        data = [letter.data for letter in dead_letters.unpack(body)]
    return [json.loads(each)["messageId"] for each in data]
