"""Credentials: fetched once at a time, renewed early, kept while STS has trouble."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
import pytest

from headgate.delivery.credentials import CredentialsCache, CredentialsFault, Grant
from headgate.delivery.wire.faults import Verdict
from headgate.testing import Delay, FailRequests, FakeKinesis
from tests.clock import Clock

ROLE = "arn:aws:iam::111122223333:role/writer"
GRANT = Grant(ROLE, "the-external-id", "us-west-2")


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000.0)


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[FakeKinesis]:
    with FakeKinesis(clock=clock) as kinesis:
        kinesis.identities.add_role(ROLE, external_ids=["the-external-id"])
        for name, value in kinesis.environment().items():
            monkeypatch.setenv(name, value)
        yield kinesis


def cache(clock: Clock) -> CredentialsCache:
    return CredentialsCache(botocore.session.get_session(), clock, lambda: 0.5)


async def test_many_who_ask_at_once_cost_one_call(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    found = await asyncio.gather(*(held.get(GRANT) for _ in range(20)))
    assert len({credentials.access_key for credentials in found}) == 1
    assert sts.ledger.calls["AssumeRole"] == 1
    clock.now += 600
    assert held.age(GRANT) == 600


async def test_they_are_renewed_before_they_end(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    first = await held.get(GRANT)
    clock.now += 0.7 * 3600
    assert await held.get(GRANT) == first
    clock.now += 0.1 * 3600
    assert await held.get(GRANT) != first


async def test_what_is_still_good_serves_while_sts_has_trouble(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    first = await held.get(GRANT)
    clock.now += 0.9 * 3600
    with sts.faults.add(FailRequests(code="ServiceUnavailable", operations=("AssumeRole",))):
        assert await held.get(GRANT) == first
        clock.now += 0.2 * 3600
        with pytest.raises(CredentialsFault) as raised:
            await held.get(GRANT)
    assert raised.value.fault.verdict is Verdict.RETRY


async def test_what_is_still_good_does_not_wait_for_an_sts_that_hangs(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    first = await held.get(GRANT)
    clock.now += 0.9 * 3600
    slow = sts.faults.add(Delay(2.0, operations=("AssumeRole",)))
    found = await asyncio.wait_for(asyncio.gather(*(held.get(GRANT) for _ in range(20))), 1.9)
    assert set(found) == {first}
    assert await held.get(GRANT) == first
    assert slow.struck == 1
    deadline = asyncio.get_running_loop().time() + 10
    while await held.get(GRANT) == first:  # what comes late is not lost
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert sts.ledger.calls["AssumeRole"] == 2


async def test_a_refusal_is_an_answer(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    await held.get(GRANT)
    sts.identities.distrust(ROLE)
    clock.now += 0.9 * 3600
    with pytest.raises(CredentialsFault) as raised:
        await held.get(GRANT)
    fault = raised.value.fault
    assert (fault.verdict, fault.code) == (Verdict.PAUSE, "AssumeRoleDenied")
    assert ROLE in fault.message
    assert "the-external-id" not in fault.message


class _Proxy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><body>Please sign in</body>")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


async def test_an_answer_that_is_none_of_sts_is_tried_again(
    sts: FakeKinesis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{proxy.server_port}")
        with pytest.raises(CredentialsFault) as caught:
            await cache(clock).get(GRANT)
        proxy.shutdown()
        thread.join()
    assert caught.value.fault.verdict is Verdict.RETRY


async def test_another_external_id_is_another_grant(sts: FakeKinesis, clock: Clock) -> None:
    held = cache(clock)
    await held.get(GRANT)
    with pytest.raises(CredentialsFault):
        await held.get(Grant(ROLE, "a-wrong-one", "us-west-2"))


async def test_refused_credentials_are_dropped_unless_newer_ones_are_there(
    sts: FakeKinesis, clock: Clock
) -> None:
    held = cache(clock)
    first = await held.get(GRANT)
    held.forget(GRANT, first)
    second = await held.get(GRANT)
    assert second != first
    held.forget(GRANT, first)
    assert await held.get(GRANT) == second
    assert sts.ledger.calls["AssumeRole"] == 2


async def test_no_credentials_at_all_pause_and_say_how_to_give_some(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for role in (None, ROLE):
        with pytest.raises(CredentialsFault) as raised:
            await cache(clock).get(Grant(role, "src", "us-west-2"))
        assert raised.value.fault.verdict is Verdict.PAUSE
        assert "AWS_PROFILE" in raised.value.fault.message
