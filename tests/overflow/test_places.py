"""Where letters are."""

from pathlib import Path

import botocore.session
import pytest

from headgate.errors import AwsError, HeadgateError, UsageError
from headgate.overflow.places import Place
from headgate.overflow.queue import QueueFault
from headgate.overflow.stores import FileStore, QueueStore

QUEUE = "https://sqs.us-west-2.amazonaws.com/111122223333/dead"


def test_a_place_gives_its_store_and_says_whether_looking_hides() -> None:
    session = botocore.session.get_session()
    file = Place(dead_letter_file=Path("dead.jsonl"))
    assert isinstance(file.store(session), FileStore)
    assert (file.name, file.hides) == ("dead.jsonl", False)
    for place in (Place(dead_letter_queue=QUEUE), Place(overflow_queue=QUEUE)):
        assert isinstance(place.store(session), QueueStore)
        assert (place.name, place.hides) == ("dead", True)
    with pytest.raises(UsageError, match="is no queue's URL"):
        Place(dead_letter_queue="dead").store(session)


def test_what_its_store_raises_is_one_line_that_names_it() -> None:
    with (
        pytest.raises(AwsError, match=r"^the queue 'dead' cannot be read: AccessDenied: no$"),
        Place(dead_letter_queue=QUEUE).faults_in_one_line(),
    ):
        raise QueueFault("AccessDenied", "no", passing=False)
    with (
        pytest.raises(HeadgateError, match=r"^dead.jsonl: permission denied$"),
        Place(dead_letter_file=Path("dead.jsonl")).faults_in_one_line(),
    ):
        raise PermissionError(13, "Permission denied")
