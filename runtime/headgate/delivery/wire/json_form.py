"""The JSON form of the Kinesis protocol: `application/x-amz-json-1.1`, data in base64."""

from collections.abc import Sequence

import msgspec

from headgate.delivery.wire.faults import Fault
from headgate.delivery.wire.messages import Answer, PutRecordAnswer, PutRecordsAnswer, WireRecord


class _Record(msgspec.Struct, rename="pascal", gc=False):
    data: bytes
    partition_key: str


class _PutRecords(msgspec.Struct, rename="pascal"):
    stream_name: str
    records: list[_Record]


class _PutRecord(msgspec.Struct, rename="pascal"):
    stream_name: str
    data: bytes
    partition_key: str


_encode = msgspec.json.Encoder().encode
_decode_put_records = msgspec.json.Decoder(PutRecordsAnswer).decode
_decode_put_record = msgspec.json.Decoder(PutRecordAnswer).decode


class JsonForm:
    """Builds requests and reads answers. A key that is no Unicode text raises UnicodeEncodeError."""

    name = "json"
    content_type = "application/x-amz-json-1.1"

    def put_records(self, stream_name: str, records: Sequence[WireRecord]) -> bytes:
        """Return the body of a PutRecords request."""
        entries = [_Record(record.data, record.partition_key) for record in records]
        return _encode(_PutRecords(stream_name, entries))

    def put_record(self, stream_name: str, record: WireRecord) -> bytes:
        """Return the body of a PutRecord request."""
        return _encode(_PutRecord(stream_name, record.data, record.partition_key))

    def read_put_records(self, body: bytes, sent: int) -> Answer | Fault | None:
        """Return what became of `sent` records; None when the body is no PutRecords answer in this form."""
        try:
            return _decode_put_records(body).judged(sent)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def read_put_record(self, body: bytes) -> Answer | None:
        """Return where the record is; None when the body is no PutRecord answer in this form."""
        try:
            return _decode_put_record(body).judged()
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
