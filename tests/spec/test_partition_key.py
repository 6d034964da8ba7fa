import pytest

from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Event


def test_the_partition_key_is_the_user_or_the_message() -> None:
    event = Event(index=0, data=b"", message_id="m", user="u")
    assert partition_key(event, use_message_id=False) == "u"
    assert partition_key(event, use_message_id=True) == "m"


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("k", True),
        ("k" * 256, True),
        ("k" * 257, False),
        ("é" * 128, True),
        ("é" * 129, False),
        ("", False),
        ("\ud83d" * 86, False),
    ],
)
def test_a_key_that_kinesis_would_refuse_becomes_its_hash(key: str, kept: bool) -> None:
    found = partition_key(Event(index=0, data=b"", message_id="m", user=key), use_message_id=False)
    assert (found == key) is kept
    assert 1 <= len(found.encode()) <= 256


def test_a_key_that_no_utf_8_can_carry_becomes_its_hash() -> None:
    event = Event(index=0, data=b"", message_id="m", user="a\ud83d")
    assert len(partition_key(event, use_message_id=False)) == 64
