"""The two forms of the Kinesis protocol: JSON 1.1, and the CBOR that the AWS SDK for Java speaks."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

import cbor2
import msgspec

from headgate.testing.refusals import Refusal

T = TypeVar("T")


class Time:
    """An instant in an answer: seconds in JSON, whole milliseconds in CBOR (as the AWS SDK for Java has it).

    Args:
        seconds: since 1970.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Form:
    """How bodies are written."""

    name: str
    content_type: str
    _read: Callable[[bytes, Any], Any]
    encode: Callable[[object], bytes]
    """Return an answer's bytes; it may hold bytes and `Time`."""

    def decode(self, body: bytes, type_: type[T]) -> T:
        """Return a request's members.

        Raises:
            Refusal: it is not of this form, or a member has another type.
        """
        try:
            read: T = self._read(body, type_)
        except (msgspec.DecodeError, cbor2.CBORDecodeError, UnicodeDecodeError) as fault:
            raise Refusal("SerializationException", f"the body cannot be read: {fault}") from None
        return read


def _read_json(body: bytes, type_: type[T]) -> T:
    return msgspec.json.decode(body or b"{}", type=type_)


def _write_json_time(value: object) -> float:
    if isinstance(value, Time):
        return round(value.seconds, 3)
    raise NotImplementedError(type(value))


def _read_cbor(body: bytes, type_: type[T]) -> T:
    stream = BytesIO(body)
    members = cbor2.CBORDecoder(stream, semantic_decoders={1: _read_cbor_time}).decode() if body else {}
    return msgspec.convert(members, type_, builtin_types=(bytes,))


def _read_cbor_time(millis: Any, _immutable: bool) -> float:
    return float(millis) / 1000


def _write_cbor_time(encoder: cbor2.CBOREncoder, value: object) -> None:
    if not isinstance(value, Time):
        raise cbor2.CBOREncodeTypeError(f"cannot write {type(value)}")
    encoder.encode(round(value.seconds * 1000))


JSON = Form(
    "json",
    "application/x-amz-json-1.1",
    _read_json,
    msgspec.json.Encoder(enc_hook=_write_json_time).encode,
)
CBOR = Form(
    "cbor",
    "application/x-amz-cbor-1.1",
    _read_cbor,
    lambda answer: cbor2.dumps(answer, default=_write_cbor_time),
)
