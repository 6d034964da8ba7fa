"""The lock in S3: taken over from the dead, and given up in time by those who cannot say that they live."""

from typing import Any

import pytest

from headgate.audiences import s3_lock
from headgate.audiences.bucket import Bucket, Found
from headgate.audiences.s3_lock import STALE_SECONDS, TRUST_SECONDS, S3Lock, locked
from headgate.errors import AwsError, BusyError
from tests.audiences.conftest import S3
from tests.clock import Clock


class Later(Bucket):
    """A bucket of which each object is so many seconds older."""

    seconds = 0.0

    def get(self, key: str) -> Found | None:
        found = super().get(key)
        return Found(found.content, found.etag, found.age + self.seconds) if found is not None else None


def later(s3: S3, seconds: float) -> Later:
    bucket = Later(s3.session, s3.name)
    bucket.seconds = seconds
    return bucket


def test_a_lock_whose_holder_is_silent_is_taken_over_after_a_minute(s3: S3) -> None:
    dead = S3Lock(s3.bucket, "lock", "it")
    dead.take()
    with pytest.raises(BusyError, match=r"last seen 5\d s ago; one that died is taken over after 60 s"):
        S3Lock(later(s3, STALE_SECONDS - 5), "lock", "it").take()
    heir = S3Lock(later(s3, STALE_SECONDS), "lock", "it")
    heir.take()
    heir.check()
    with pytest.raises(BusyError):
        dead.beat()
    with pytest.raises(BusyError, match="its lock in S3 was lost"):
        dead.check()
    dead.release()
    heir.beat()
    heir.check()


def test_of_two_that_take_over_one_does(s3: S3) -> None:
    S3Lock(s3.bucket, "lock", "it").take()
    one, other = (S3Lock(later(s3, STALE_SECONDS), "lock", "it") for _ in range(2))
    read = other._bucket.get

    def read_then_be_late(key: str) -> Found | None:
        found = read(key)
        other._bucket.get = read  # type: ignore[method-assign]
        one.take()
        return found

    other._bucket.get = read_then_be_late  # type: ignore[method-assign]
    with pytest.raises(BusyError):
        other.take()
    one.beat()


def test_a_holder_that_cannot_say_that_it_lives_stops_before_others_take_over(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(100.0)
    bucket = s3.bucket
    lock = S3Lock(bucket, "lock", "it", clock)
    lock.take()

    def fail(*_: Any) -> str:
        raise AwsError("S3 is down")

    monkeypatch.setattr(bucket, "put", fail)
    clock.now += TRUST_SECONDS - 1
    with pytest.raises(AwsError):
        lock.beat()
    lock.check()
    clock.now += 1
    with pytest.raises(BusyError, match="40 s after its last sign of life"):
        lock.check()
    assert TRUST_SECONDS < STALE_SECONDS


def test_a_sign_of_life_whose_answer_was_lost_does_not_lose_the_lock(s3: S3) -> None:
    bucket = s3.bucket
    lock = S3Lock(bucket, "lock", "it")
    lock.take()
    put = bucket.put

    def put_and_lose_the_answer(*arguments: Any) -> str:
        put(*arguments)
        raise AwsError("no answer")

    bucket.put = put_and_lose_the_answer  # type: ignore[method-assign]
    with pytest.raises(AwsError):
        lock.beat()
    bucket.put = put  # type: ignore[method-assign]
    lock.beat()
    lock.check()
    lock.release()
    S3Lock(bucket, "lock", "it").take()


def test_a_thread_says_that_the_holder_lives(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_lock, "BEAT_SECONDS", 0.01)
    with locked(s3.bucket, "lock", "it") as lock:
        before = s3.bucket.get("lock")
        deadline = s3_lock.time_awake_or_not() + 10
        while s3.bucket.get("lock") == before:
            assert s3_lock.time_awake_or_not() < deadline
        lock.check()
    S3Lock(s3.bucket, "lock", "it").take()
