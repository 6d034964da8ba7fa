"""Sources and their destinations, as `sources.toml` and every other store write them."""

import re
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

import msgspec

from headgate.settings.strict_toml import FieldError, decode
from headgate.settings.write_keys import hashed, is_half_hashed
from headgate.spec.event import CallType
from headgate.spec.partition_key import MESSAGE_ID, PATH, USER

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
STREAM_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
ROLE_ADDRESS = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")
ORIGIN = re.compile(
    r"\*|null|[a-z][a-z0-9+.-]*://(?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
)
DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")
CALL_TYPES: tuple[CallType, ...] = get_args(CallType)
_PARTITION_KEYS = (
    f"{USER!r}, {MESSAGE_ID!r}, or a path: keys joined by dots, such as 'context.groupId', "
    'without $. [ ] | " \\ or spaces around them'
)


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source's Kinesis settings, under the names that `sources.toml` gives them."""

    stream_name: str
    """Amazon Kinesis stream name: 1 to 128 of `a-z A-Z 0-9 _ . -`."""
    region: str = "us-west-2"
    """The stream's region; Segment's own default."""
    role_address: str | None = None
    """ARN of the role to assume; without it the task's own credentials write."""
    secret_id: str | None = None
    """The External ID sent with AssumeRole; the source ID where it is absent."""
    event_types: tuple[CallType, ...] = CALL_TYPES
    """The calls that are sent to it; without it all six, alias and screen too."""
    partition_key: str | None = None
    """`messageId`, or the path of a member of the event, such as `context.groupId`. `userId || anonymousId`
    without it, and for events without that member."""
    use_message_id: bool = False
    """Segment's own name for `partition_key = "messageId"`."""
    ordering: Literal["lane", "strict"] = "lane"
    max_record_kib: Annotated[int, msgspec.Meta(ge=1024, le=10240)] = 1024
    """Largest record the stream takes, in KiB: 1,024 (every stream's default) to 10,240."""
    wire: Literal["auto", "cbor", "json"] = "auto"
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse later.

        Raises:
            ValueError: a name, region, ARN or External ID that cannot be one.
        """
        _check("stream_name", self.stream_name, STREAM_NAME, "1 to 128 characters of a-z A-Z 0-9 _ . -")
        _check("region", self.region, REGION, "an AWS region such as us-west-2")
        _check(
            "role_address",
            self.role_address,
            ROLE_ADDRESS,
            "a role's ARN such as arn:aws:iam::123456789012:role/name",
        )
        if self.secret_id is not None and not EXTERNAL_ID.fullmatch(self.secret_id):
            # A Secret ID is a password: its text stays out of messages.
            raise FieldError(
                "secret_id",
                "secret_id is no External ID; allowed: 2 to 1,224 characters of "
                "a-z A-Z 0-9 _ + = , . @ : / -",
            )
        if self.secret_id is not None and self.role_address is None:
            raise FieldError(
                "role_address",
                "secret_id is sent when a role is assumed, so it needs a role_address beside it",
            )
        if not self.event_types:
            raise FieldError(
                "event_types",
                f"event_types is empty; allowed: one or more of {', '.join(CALL_TYPES)}; "
                "to send none, enabled = false",
            )
        if self.partition_key != USER:
            _check("partition_key", self.partition_key, PATH, _PARTITION_KEYS)
        if self.use_message_id and self.partition_key not in (None, MESSAGE_ID):
            raise FieldError(
                "partition_key",
                f"use_message_id = true contradicts partition_key = {self.partition_key!r}; give one of them",
            )

    @property
    def partitioned_by(self) -> str:
        """What decides the partition key, as `headgate.spec.partition_key.partition_key` takes it."""
        return self.partition_key or (MESSAGE_ID if self.use_message_id else USER)


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where events come from: a source ID, the write keys its clients use, and its destinations."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    name: str = ""
    write_keys: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """What its clients send; or `sha256:` and 64 hexadecimal digits, the hash of that."""
    enabled: bool = True
    allowed_origins: tuple[str, ...] = ("*",)
    """Pages that may send events: `*`, `https://www.example.com`, or every subdomain: `https://*.example.com`."""
    max_events_per_second: Annotated[int, msgspec.Meta(ge=1)] | None = None
    destinations: Annotated[tuple[Destination, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse what would match any request or none, and what would put an event into a stream twice.

        Raises:
            ValueError: a write key is empty or half a hash, an origin is not as browsers write it, or two
                enabled destinations send the same call to one stream.
        """
        if not all(self.write_keys):
            raise FieldError(
                "write_keys", "write_keys holds an empty write key; allowed: texts of one character or more"
            )
        if any(map(is_half_hashed, self.write_keys)):
            raise FieldError(
                "write_keys",
                "write_keys holds what begins with sha256: and is no hash; allowed after it: 64 of 0-9 a-f",
            )
        for origin in self.allowed_origins:
            if not ORIGIN.fullmatch(origin) or DEFAULT_PORT.fullmatch(origin):
                raise FieldError(
                    "allowed_origins",
                    f"allowed_origins has {origin!r}; allowed: '*', https://*.example.com, or an origin as "
                    "browsers write it, such as https://www.example.com: lower case, no path, "
                    "no default port",
                )
        taken: dict[tuple[str, str, str | None], set[CallType]] = {}
        for each in [each for each in self.destinations if each.enabled]:
            calls = taken.setdefault((each.region, each.stream_name, each.role_address), set())
            if twice := calls.intersection(each.event_types):
                raise FieldError(
                    "event_types",
                    f"two destinations are the stream {each.stream_name!r} in {each.region} and both take "
                    f"{', '.join(sorted(twice))}; leave that out of the event_types of one of them",
                )
            calls.update(each.event_types)


class Sources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All sources of one forwarder: the whole of a `sources.toml`."""

    sources: Annotated[tuple[Source, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse what would make a request ambiguous.

        Raises:
            ValueError: two sources share an ID or a write key, or one has it twice.
        """
        owner_of_id: set[str] = set()
        owner_of_key: dict[str, str] = {}
        for source in self.sources:
            if source.id in owner_of_id:
                raise ValueError(f"two sources have the id {source.id!r}; give each its own")
            owner_of_id.add(source.id)
            for key in map(hashed, source.write_keys):
                if owner_of_key.get(key) == source.id:
                    raise ValueError(f"the source {source.id!r} has a write key twice")
                if key in owner_of_key:
                    both = f"{owner_of_key[key]!r} and {source.id!r}"
                    raise ValueError(f"the sources {both} share a write key; give each its own")
                owner_of_key[key] = source.id


def read_toml(text: str, *, where: str) -> dict[str, Source]:
    """Return the source of every write key in the text of a `sources.toml`.

    Raises:
        SettingsError: it is not TOML or breaks the schema; one line, beginning with `where`.
    """
    return by_write_key(decode(text, Sources, where=where).sources)


def by_write_key(sources: Iterable[Source]) -> dict[str, Source]:
    """Return the source of every write key, each key as the settings have it."""
    return {key: source for source in sources for key in source.write_keys}


def _check(name: str, value: str | None, allowed: re.Pattern[str], words: str) -> None:
    if value is not None and not allowed.fullmatch(value):
        raise FieldError(name, f"{name} is {value!r}; allowed: {words}")
