"""Partition keys of a PutRecords request, found by a literal search where that is certain to find all.

A client that spells its requests otherwise (members of unknown number, escapes in a key) is decoded.
"""

import json
from collections.abc import Sequence
from typing import Any

import cbor2

_RECORDS, _LABEL = b"\x67Records", b"\x6cPartitionKey"
_SHORT, _ONE_BYTE = 0x60, 0x78
"""Of a text in CBOR: its length is in the head, or in the byte after it."""


def of_json(body: bytes) -> list[bytes]:
    """Return the keys, in UTF-8. Data is in base64, where no quote can stand."""
    if b"\\" in body:
        return _decoded(json.loads(body)["Records"])
    return [piece.split(b'"', 2)[1] for piece in body.split(b'"PartitionKey"')[1:]]


def of_cbor(body: bytes) -> list[bytes]:
    """Return the keys, in UTF-8. Data is as it is, so what was found is counted against what is announced."""
    pieces = body.split(_LABEL)[1:]
    if len(pieces) != _announced(body):
        return _decoded(cbor2.loads(body)["Records"])
    try:
        return [
            piece[1 : head - _SHORT + 1] if (head := piece[0]) < _ONE_BYTE else _long(piece)
            for piece in pieces
        ]
    except IndexError:
        return _decoded(cbor2.loads(body)["Records"])


def _long(piece: bytes) -> bytes:
    if piece[0] == _ONE_BYTE:
        return piece[2 : 2 + piece[1]]
    return piece[3 : 3 + int.from_bytes(piece[1:3], "big")]


def _announced(body: bytes) -> int | None:
    """Return how many records there are, None where that is not said at the front."""
    at = body.find(_RECORDS) + len(_RECORDS)
    match body[at]:
        case head if 0x80 <= head < 0x98:
            return head - 0x80
        case 0x98:
            return body[at + 1]
        case 0x99:
            return int.from_bytes(body[at + 1 : at + 3], "big")
    return None


def _decoded(records: Sequence[dict[str, Any]]) -> list[bytes]:
    return [record["PartitionKey"].encode() for record in records]
