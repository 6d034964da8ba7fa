"""Sources as a table and its exports have them: write keys as hashes, Secret IDs encrypted by KMS."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
import tomli_w

from headgate.settings.schema import Destination, Source, Sources
from headgate.settings.strict_toml import FieldError, decode
from headgate.settings.write_keys import hashed

Encrypt = Callable[[str, str, str], str]
"""Returns a Secret ID encrypted, as base64; given are it, the source ID and the destination's stream."""
Decrypt = Callable[[str, str, str], str]
"""Returns the Secret ID of what `Encrypt` returned for the same source and stream."""


class StoredDestination(Destination, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination whose Secret ID may be encrypted."""

    encrypted_secret_id: Annotated[str, msgspec.Meta(max_length=8_192)] | None = None
    """What KMS made of it, in base64, for this source and this stream name alone."""

    def __post_init__(self) -> None:
        """Refuse a Secret ID twice, and one that is never sent.

        Raises:
            ValueError: both forms are there, or no role to assume; and what `Destination` raises.
        """
        super().__post_init__()
        if self.encrypted_secret_id is not None and self.secret_id is not None:
            raise ValueError("secret_id and encrypted_secret_id cannot be given together; give one of them")
        if self.encrypted_secret_id is not None and self.role_address is None:
            raise FieldError(
                "role_address",
                "a Secret ID is sent when a role is assumed, so it needs a role_address beside it",
            )


class StoredSource(Source, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source with such destinations."""

    destinations: Annotated[tuple[StoredDestination, ...], msgspec.Meta(min_length=1)]


class StoredSources(Sources, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All sources of an export, or of a plain `sources.toml`."""

    sources: Annotated[tuple[StoredSource, ...], msgspec.Meta(min_length=1)]


def read_export(text: str, *, where: str) -> tuple[StoredSource, ...]:
    """Return the sources of an export or of a plain `sources.toml`.

    Raises:
        SettingsError: it is not TOML or breaks the schema; one line, beginning with `where`.
    """
    return decode(text, StoredSources, where=where).sources


def export(sources: Iterable[StoredSource]) -> str:
    """Return the text of an export; what is as by default is left out, as a person would."""
    return tomli_w.dumps({"sources": list(map(members, sources))})


def members(source: StoredSource) -> dict[str, Any]:
    """Return what `sources.toml` would say of a source, as tables, lists and values."""
    said = _said(source)
    return said | {"destinations": list(map(_said, source.destinations))}


def sealed(source: StoredSource, encrypt: Encrypt) -> StoredSource:
    """Return a source with each write key as its hash and each plain Secret ID encrypted."""
    return msgspec.structs.replace(
        source,
        write_keys=tuple(map(hashed, source.write_keys)),
        destinations=tuple(
            each
            if each.secret_id is None
            else msgspec.structs.replace(
                each,
                secret_id=None,
                encrypted_secret_id=encrypt(each.secret_id, source.id, each.stream_name),
            )
            for each in source.destinations
        ),
    )


def opened(source: StoredSource, decrypt: Decrypt) -> Source:
    """Return a source as the forwarder needs it."""
    given = _values(source)
    given["destinations"] = tuple(_opened(source.id, each, decrypt) for each in source.destinations)
    return Source(**given)


def _opened(source_id: str, destination: StoredDestination, decrypt: Decrypt) -> Destination:
    given = _values(destination)
    encrypted = given.pop("encrypted_secret_id")
    if encrypted is not None:
        given["secret_id"] = decrypt(encrypted, source_id, destination.stream_name)
    return Destination(**given)


def _values(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _said(struct: msgspec.Struct) -> dict[str, Any]:
    return {
        field.encode_name: msgspec.to_builtins(value)
        for field in msgspec.structs.fields(struct)
        if (value := getattr(struct, field.name)) != field.default and field.name != "destinations"
    }
