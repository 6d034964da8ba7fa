"""What the fake's ledger shows of what a forwarder acknowledged, and what a forwarder must not tell."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence

from headgate.settings.schema import Source
from headgate.testing import FakeKinesis, Ledger
from tests.acceptance.clients import Client
from tests.acceptance.queues import Story
from tests.acceptance.serving import CANARY, Forwarder

UNANSWERED = frozenset({"ResetConnection", "CutAnswer", "HangConnection"})
"""Faults after which a sender cannot know whether its records were accepted."""


def everything_arrived(
    ledger: Ledger, stream: str, clients: Iterable[Client], *, or_waits: Container[str] = ()
) -> None:
    """All that was acknowledged is in the stream, or among what waits elsewhere."""
    found = ledger.by_message_id(stream)
    missing = [
        one for client in clients for one in client.acknowledged if one not in found and one not in or_waits
    ]
    assert not missing, f"{len(missing)} acknowledged events are not in {stream}: {missing[:5]}"


def order_kept(ledger: Ledger, stream: str, *, strict: bool = False, but: Container[str] = ()) -> None:
    """A user's requests are in the stream in their order; with strict ordering, so are their events.

    Args:
        ledger: what the stream took.
        stream: its name.
        strict: whether the source asked for strict ordering.
        but: message IDs that are outside the promise, because they went through overflow.
    """
    for user, records in ledger.by_partition_key(stream).items():
        message_ids = [record.message_id or "" for record in records]
        in_order(user, [one for one in message_ids if one not in but], strict=strict)


def in_order(user: str, message_ids: Sequence[str], *, strict: bool = False) -> None:
    """The first of each of a user's message IDs came in the order of their requests."""
    order = [[int(number) for number in one.split("/")[1:]] for one in dict.fromkeys(message_ids)]
    kept = order if strict else [[request] for request, _ in order]
    assert kept == sorted(kept), f"{user}: {message_ids}"


def possible_duplicates(ledger: Ledger, stream: str) -> int:
    """Return how many records were accepted in requests whose sender was not told so."""
    return sum(
        request.verdicts.count(None)
        for request in ledger.requests()
        if request.stream == stream and request.fault in UNANSWERED
    )


def only_failed_records_came_again(ledger: Ledger, stream: str) -> None:
    """No record was accepted twice but where nobody could know that it had been accepted."""
    twice = sum(ledger.duplicates(stream).values()) - len(ledger.duplicates(stream))
    assert twice <= possible_duplicates(ledger, stream)


def every_copy_explained(
    ledger: Ledger, stream: str, clients: Iterable[Client], queue: Story | None = None
) -> int:
    """No record was accepted more often than somebody sent it for a reason; return how many came again.

    A reason is a client that sent it again, an answer that was lost, and a message out of overflow that was
    received, each time for one more copy.
    """
    reasons: Counter[str] = Counter()
    for client in clients:
        reasons.update(client.attempts)
    if queue is not None:
        reasons.update(queue.received)
    unanswered = {one.request_id for one in ledger.requests() if one.fault in UNANSWERED}
    again = 0
    for message_id, records in ledger.by_message_id(stream).items():
        lost = sum(record.request_id in unanswered for record in records)
        assert len(records) <= reasons[message_id] + lost, message_id
        again += len(records) - 1
    return again


def counted(forwarder: Forwarder, metric: str) -> Counter[str]:
    """Return the sums of a counter by destination, as CloudWatch would take them from standard output."""
    sums: Counter[str] = Counter()
    for document in forwarder.metrics():
        sums[document.get("Destination", "")] += document.get(metric, 0)
    return sums


def told_of(forwarder: Forwarder, destination: str, metric: str) -> float:
    """Return what `/statusz` shows of a destination's metric now."""
    return float(forwarder.destinations()[destination]["metrics"].get(metric, 0))


def nothing_was_given_away(forwarder: Forwarder, kinesis: FakeKinesis, sources: Sequence[Source]) -> None:
    """No secret and no content of an event is in any log line, metric or status page."""
    told = forwarder.child.log.read_text(encoding="utf-8")
    if forwarder.child.process.poll() is None:
        told += str(forwarder.status())
    secrets = [CANARY, *(key for source in sources for key in source.write_keys)]
    secrets += [each.secret_id for source in sources for each in source.destinations if each.secret_id]
    for given in kinesis.identities.given:
        secrets += [given.access_key, given.secret_key, given.session_token]
    assert not [secret for secret in secrets if secret in told]
