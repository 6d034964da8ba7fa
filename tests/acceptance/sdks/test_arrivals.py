"""That the comparison which all proofs about SDKs rest on sees what it is to see."""

from datetime import UTC, datetime

import pytest

from tests.acceptance.sdks.arrivals import Sent, differences, exactly

SENT = (
    b'{"type":"track","userId":"u","event":"e","messageId":"m","timestamp":"2026-01-02T03:04:05.000400+00:00",'
    b'"properties":{"b":1,"a":2.50},"context":{"locale":"de"},"writeKey":"wk"}'
)
SINCE = datetime(2026, 1, 2, 3, 4, 9, tzinfo=UTC)
ARRIVED = (
    b'{"type":"track","userId":"u","event":"e","messageId":"m","originalTimestamp":"2026-01-02T03:04:05.000400+00:00",'
    b'"properties":{"b":1,"a":2.50},"context":{"ip":"127.0.0.1","locale":"de"},'
    b'"sentAt":"2026-01-02T03:04:06Z","version":2,"channel":"client",'
    b'"receivedAt":"2026-01-02T03:04:10.123Z","projectId":"8kf3Qw2LpZ","timestamp":"2026-01-02T03:04:09.123Z"}'
)


def sent(*, client_side: bool = True) -> Sent:
    request = exactly(b'{"batch":[%b],"sentAt":"2026-01-02T03:04:06Z","writeKey":"wk"}' % SENT)
    [event] = request["batch"]
    return Sent(event, request, client_side)


def test_what_the_spec_says_is_no_difference() -> None:
    assert differences(sent(), ARRIVED, since=SINCE) == []


@pytest.mark.parametrize(
    ("was", "became", "named"),
    [
        (b'"type":"track"', b'"type":"page"', "type"),
        (b'"userId":"u"', b'"userId":null', "userId"),
        (b"2.50", b"2.5", "properties"),
        (b'"b":1,"a":2.50', b'"a":2.50,"b":1', "properties"),
        (b'"b":1,', b'"b":"1",', "properties"),
        (b'"ip":"127.0.0.1",', b"", "context"),
        (b'"version":2', b'"version":2,"writeKey":"wk"', "writeKey"),
        (b'"channel":"client"', b'"channel":"server"', "channel"),
        (b',"projectId":"8kf3Qw2LpZ"', b"", "projectId"),
        (b"09.123Z", b"09.124Z", "timestamp"),
        (b"05.000400+00:00", b"05.000Z", "originalTimestamp"),
        (b"04:06Z", b"04:07Z", "sentAt"),
        (b"03:04:10.123Z", b"03:04:08.123Z", "receivedAt"),
    ],
)
def test_anything_else_is_named(was: bytes, became: bytes, named: str) -> None:
    assert ARRIVED.count(was) == 1
    found = differences(sent(), ARRIVED.replace(was, became), since=SINCE)
    assert named in [each.split()[0] for each in found]


def test_the_address_of_a_server_is_not_wanted() -> None:
    data = ARRIVED.replace(b'"client"', b'"server"')
    found = differences(sent(client_side=False), data, since=SINCE)
    assert [each.split()[0] for each in found] == ["context"]
