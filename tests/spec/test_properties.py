"""Whatever JSON a client writes: what is carried is carried byte for byte, and the rest is the Spec's."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.checked import check

SPACE = ("", "", "", " ", "\n\t", "\r\n  ")
PIECES = (
    "a", "é", "😀", "\u2028", "{", "}", "[", ",", ":", " ", "%", "timestamp", "writeKey", r"\n", r"\"", r"\/",
    r"\\", r"\u0074", r"\u00e9", r"\u0000", r"\ud83d\ude00", r"\ud83d", r"\ude00", r"\\u0074",
    r'\"timestamp\"',
)  # fmt: skip
STRINGS = st.lists(st.sampled_from(PIECES), max_size=5).map(lambda pieces: f'"{"".join(pieces)}"')
NUMBERS = st.sampled_from(
    ("0 -0 1 1.0 -1.50 1e5 1E+5 2e-7 1e999 -1e999 12345678901234567890 " + "9" * 5_000).split()
)
TIMES = st.sampled_from(
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.678Z",
        "2026-01-02T03:04:05.678901+00:00",
        "2026-01-02",
        "2026-01-02 03:04:05.123456789-08:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1700000000000",
        "soon",
        "",
    ]
).map(lambda time: f'"{time}"')
LITERALS = st.sampled_from(["null", "true", "false"])
NAMES = (
    "timestamp", "originalTimestamp", "sentAt", "receivedAt", "writeKey", "projectId", "type", "userId",
    "messageId", "context", "integrations", "batch", "version", "channel", "ip", "direct", "All",
    "Amazon Kinesis", "x",
)  # fmt: skip


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    """The key, now and then with one of its letters written as an escape."""
    at = draw(st.integers(-8, len(name) - 1))
    return f'"{name}"' if at < 0 else f'"{name[:at]}\\u{ord(name[at]):04x}{name[at + 1 :]}"'


def objects(*members: st.SearchStrategy[tuple[str, str]], more: int = 3) -> st.SearchStrategy[str]:
    """An object with each of these members, and up to so many of any kind, in any order, with any spacing."""
    return st.builds(
        _object,
        st.tuples(*members),
        st.lists(any_members(), max_size=more),
        st.randoms(use_true_random=False),
    )


def _object(some: tuple[tuple[str, str], ...], others: list[tuple[str, str]], random: Random) -> str:
    members = [*some, *others]
    random.shuffle(members)
    spaced = [f"{key}{random.choice(SPACE)}:{random.choice(SPACE)}{value}" for key, value in members if key]
    comma = random.choice((",", ", ", " ,\n"))
    return "{" + random.choice(SPACE) + comma.join(spaced) + random.choice(SPACE) + "}"


def member(name: str, *values: str | st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str]]:
    """A member of this key, or none: then its key is the empty text."""
    strategies = [st.just(each) if isinstance(each, str) else each for each in values]
    return st.just(("", "")) | st.tuples(keys(name), st.one_of(strategies))


def any_members() -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.sampled_from(NAMES).flatmap(keys) | STRINGS, VALUES)


VALUES: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        LITERALS, NUMBERS, STRINGS, TIMES,
        st.lists(VALUES, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        objects(more=2),
    )
)  # fmt: skip
SWITCHES = st.sampled_from(["true", "false", "null", "0", '"false"', "{}"])
CONTEXTS = objects(member("ip", '"1.2.3.4"', "null", '""'), member("direct", "true", "false", "null"), more=2)
INTEGRATIONS = objects(member("All", SWITCHES), member("Amazon Kinesis", SWITCHES), more=1)
USERS = st.tuples(keys("userId"), STRINGS.map(lambda text: f'"u{text[1:]}'))
MEMBERS = (
    member("groupId", '"g"', "null"),
    member("previousId", '"p"', "null"),
    member("anonymousId", STRINGS, "null"),
    member("messageId", '"m"', STRINGS, "null", "5"),
    member("timestamp", TIMES, TIMES, NUMBERS, "null"),
    member("timestamp", TIMES),
    member("originalTimestamp", TIMES, "null"),
    member("sentAt", TIMES, "null", "5"),
    member("properties", objects(), "null"),
    member("writeKey", '"wk"', VALUES),
    member("context", CONTEXTS, CONTEXTS, "null", VALUES),
    member("integrations", INTEGRATIONS, INTEGRATIONS, "null", VALUES),
    member("version", "1", "null"),
    member("channel", '"mine"', "null"),
    member("receivedAt", TIMES, "null"),
    member("projectId", VALUES),
)
GOOD = objects(
    USERS,
    st.tuples(keys("type"), st.sampled_from(['"track"', '"page"', '"screen"', '"identify"'])),
    st.tuples(keys("event"), STRINGS.map(lambda text: f'"E{text[1:]}')),
    *MEMBERS,
    more=0,
)
EVENTS = GOOD | objects(
    st.tuples(keys("userId"), STRINGS | NUMBERS | LITERALS),
    member("type", '"group"', '"alias"', '"Track"', "null", "5"),
    member("event", STRINGS, VALUES),
    *MEMBERS,
    more=2,
)
ARRIVALS = st.fixed_dictionaries({"client_side": st.booleans(), "ip": st.sampled_from([None, "203.0.113.7"])})
MARKS = st.sampled_from([b"", b"", b"\xef\xbb\xbf"])


@settings(deadline=None)
@given(EVENTS, st.sampled_from(["page", "track", "group"]), ARRIVALS, MARKS)
def test_one_call(event: str, call: str, arrival: dict[str, object], mark: bytes) -> None:
    assert check(mark + event.encode(), call, **arrival) is not None


BATCHES = st.lists(GOOD | GOOD | EVENTS | VALUES, min_size=1, max_size=3).map(
    lambda items: f"[{' ,'.join(items)}]"
)
BODIES = objects(
    st.tuples(keys("batch"), BATCHES),
    member("context", CONTEXTS, "null"),
    member("integrations", INTEGRATIONS, "null"),
    member("writeKey", '"wk"', STRINGS, "5"),
    member("sentAt", TIMES, "null", "5"),
    more=1,
)


@settings(deadline=None)
@given(BODIES, ARRIVALS, MARKS)
def test_a_batch(body: str, arrival: dict[str, object], mark: bytes) -> None:
    check(mark + body.encode(), None, **arrival)
