import pytest

from headgate.errors import SettingsError
from headgate.settings.schema import CALL_TYPES, Destination, Source, Sources, read_toml
from headgate.settings.strict_toml import decode
from headgate.spec.event import CALLS
from headgate.spec.partition_key import MESSAGE_ID, USER

SOURCE = """\
[[sources]]
id = "src"
write_keys = ["wk"]
allowed_origins = [{origin}]

[[sources.destinations]]
stream_name = "events"
"""


def read(origin: str) -> Source:
    return decode(SOURCE.format(origin=origin), Sources, where="sources.toml").sources[0]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://www.example.com",
        "http://localhost:3000",
        "https://*.example.com",
        "https://*.example.com:8443",
        "https://[::1]:8443",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "https://xn--bcher-kva.example",
    ],
)
def test_an_origin_is_as_browsers_write_it(origin: str) -> None:
    assert read(f'"{origin}"').allowed_origins == (origin,)


def test_no_origin_at_all_is_a_source_for_servers_alone() -> None:
    assert read("").allowed_origins == ()


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "www.example.com",
        "https://www.example.com/",
        "https://www.example.com/path",
        "https://WWW.example.com",
        "https://www.example.com:443",
        "http://www.example.com:80",
        "https://",
        "https://*",
        "https://*.",
        "https://www.*.com",
        "https://*.*.com",
        "*.example.com",
        "https://user@www.example.com",
        "https://a b",
        "https://b\u00fccher.example",
    ],
)
def test_what_would_match_nothing_is_refused_by_name(origin: str) -> None:
    with pytest.raises(SettingsError, match="allowed_origins has") as refused:
        read(f'"{origin}"')
    assert repr(origin) in str(refused.value)
    assert "src" in str(refused.value)
    assert "allowed: '*', https://*.example.com" in str(refused.value)


EVENTS = 'stream_name = "events"\n'
ALL = "track, identify, page, screen, group, alias"
PATHS = (
    "allowed: 'userId || anonymousId', 'messageId', or a path: keys joined by dots, such as "
    "'context.groupId', "
    'without $. [ ] | " \\ or spaces around them'
)


def destinations(*texts: str) -> tuple[Destination, ...]:
    text = '[[sources]]\nid = "src"\nwrite_keys = ["wk"]\n' + "".join(
        f"[[sources.destinations]]\n{EVENTS}{each}\n" for each in texts
    )
    return read_toml(text, where="t")["wk"].destinations


def test_all_calls_are_sent_unless_some_are_named() -> None:
    assert set(CALL_TYPES) == CALLS
    [every, some] = destinations('region = "eu-west-1"', 'event_types = ["alias", "screen", "alias"]')
    assert every.event_types == CALL_TYPES
    assert some.event_types == ("alias", "screen", "alias")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("", USER),
        ("use_message_id = false", USER),
        ('partition_key = "userId || anonymousId"', USER),
        ("use_message_id = true", MESSAGE_ID),
        ('partition_key = "messageId"', MESSAGE_ID),
        ('partition_key = "messageId"\nuse_message_id = true', MESSAGE_ID),
        ('partition_key = "messageId"\nuse_message_id = false', MESSAGE_ID),
        ('partition_key = "context.groupId"', "context.groupId"),
        ('partition_key = "properties.Order ID"\nuse_message_id = false', "properties.Order ID"),
    ],
)
def test_a_destination_is_partitioned_by_its_user_its_message_or_a_path(text: str, choice: str) -> None:
    assert destinations(text)[0].partitioned_by == choice


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "event_types = []",
            f": event_types is empty; allowed: one or more of {ALL}; to send none, enabled = false",
        ),
        ('event_types = ["track", "trak"]', f".event_types[2]: invalid enum value 'trak'; allowed: {ALL}"),
        ('event_types = ["Track"]', f".event_types[1]: invalid enum value 'Track'; allowed: {ALL}"),
        ("event_types = [1]", f".event_types[1]: expected string, got integer; allowed: {ALL}"),
        ('event_types = "track"', ".event_types: expected array, got string"),
        ("partition_key = 5", ".partition_key: expected string, got integer"),
        ('partition_key = ""', f": partition_key is ''; {PATHS}"),
        ('partition_key = "context..groupId"', f": partition_key is 'context..groupId'; {PATHS}"),
        ('partition_key = "userId||anonymousId"', f": partition_key is 'userId||anonymousId'; {PATHS}"),
        ('partition_key = "$.messageId"', f": partition_key is '$.messageId'; {PATHS}"),
        ('partition_key = "a\\nb"', f": partition_key is 'a\\nb'; {PATHS}"),
        (
            'partition_key = "userId || anonymousId"\nuse_message_id = true',
            ": use_message_id = true contradicts partition_key = 'userId || anonymousId'; give one of them",
        ),
        (
            'partition_key = "context.groupId"\nuse_message_id = true',
            ": use_message_id = true contradicts partition_key = 'context.groupId'; give one of them",
        ),
    ],
)
def test_calls_and_partition_keys_that_cannot_be_are_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        destinations(text)
    assert str(refused.value) == f"t: sources[1] ('src').destinations[1] ('events'){problem}"


@pytest.mark.parametrize(
    ("one", "other", "calls"),
    [
        ("", "", ", ".join(sorted(CALLS))),
        ('event_types = ["track"]', 'event_types = ["page", "track"]\npartition_key = "messageId"', "track"),
        ('ordering = "strict"\nevent_types = ["page"]', 'wire = "json"', "page"),
    ],
)
def test_an_event_goes_into_a_stream_once(one: str, other: str, calls: str) -> None:
    with pytest.raises(SettingsError) as refused:
        destinations(one, other)
    assert str(refused.value) == (
        "t: sources[1] ('src'): two destinations are the stream 'events' in us-west-2 and both take "
        f"{calls}; leave that out of the event_types of one of them"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('event_types = ["track", "track"]', 'event_types = ["page"]'),
        ("", "enabled = false"),
        ("", 'region = "eu-west-1"'),
        ("", 'role_address = "arn:aws:iam::123456789012:role/a"'),
    ],
)
def test_destinations_that_differ_in_their_calls_or_their_stream_stand_beside_each_other(
    one: str, other: str
) -> None:
    assert len(destinations(one, other)) == len(destinations(other, one)) == 2
