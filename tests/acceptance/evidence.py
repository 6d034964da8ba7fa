"""What the fake's ledger shows of what a forwarder acknowledged, and what a forwarder must not tell."""

from collections import Counter
from collections.abc import Iterable, Sequence

from headgate.settings.schema import Source
from headgate.testing import FakeKinesis, Ledger
from tests.acceptance.clients import Client
from tests.acceptance.serving import CANARY, Forwarder

UNANSWERED = frozenset({"ResetConnection", "CutAnswer", "HangConnection"})
"""Faults after which a sender cannot know whether its records were accepted."""


def everything_arrived(ledger: Ledger, stream: str, clients: Iterable[Client]) -> None:
    """All that was acknowledged is in the stream."""
    found = ledger.by_message_id(stream)
    missing = [one for client in clients for one in client.acknowledged if one not in found]
    assert not missing, f"{len(missing)} acknowledged events are not in {stream}: {missing[:5]}"


def order_kept(ledger: Ledger, stream: str, *, strict: bool = False) -> None:
    """A user's requests are in the stream in their order; with strict ordering, so are their events."""
    for user, records in ledger.by_partition_key(stream).items():
        in_order(user, [record.message_id or "" for record in records], strict=strict)


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


def counted(forwarder: Forwarder, metric: str) -> Counter[str]:
    """Return the sums of a counter by destination, as CloudWatch would take them from standard output."""
    sums: Counter[str] = Counter()
    for document in forwarder.metrics():
        sums[document.get("Destination", "")] += document.get(metric, 0)
    return sums


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
