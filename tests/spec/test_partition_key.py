from headgate.spec.partition_key import partition_key
from headgate.spec.prepare import Event


def test_the_partition_key_is_the_user_or_the_message() -> None:
    event = Event(index=0, data=b"", message_id="m", user="u")
    assert partition_key(event, use_message_id=False) == "u"
    assert partition_key(event, use_message_id=True) == "m"
