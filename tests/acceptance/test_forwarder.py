"""`headgate serve` as a process: from a request over Segment's HTTP API to the record in the stream."""

import json
import signal
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.forwarder import source_toml
from demo.processes import Child, answer
from demo.story import OWNER, SOURCE_ID
from tests.acceptance.world import WRITE_KEY, Answer, Serve, World, make_role, post, trust

CALLS: dict[str, dict[str, Any]] = {
    "track": {"event": "Order Completed", "properties": {"revenue": 39.95}},
    "identify": {"traits": {"plan": "team"}},
    "page": {"name": "Pricing"},
    "screen": {"name": "Home"},
    "group": {"groupId": "acme", "traits": {"employees": 42}},
    "alias": {"previousId": "anonymous-1"},
}


def event(type_: str, **members: Any) -> dict[str, Any]:
    return {"type": type_, "userId": "user-1", "messageId": str(uuid.uuid4())} | CALLS[type_] | members


def by_message_id(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["event"].get("messageId"): record for record in records if "event" in record}


def healthy_source(world: World) -> str:
    return source_toml(SOURCE_ID, "Website", WRITE_KEY, world.outputs)


def log_lines(child: Child) -> list[dict[str, Any]]:
    """All that the forwarder logged; anything that is not a JSON object on a line fails the test."""
    return [json.loads(line) for line in child.log.read_text(encoding="utf-8").splitlines()]


def wait_for(url: str, write_key: str, status: int, seconds: float = 45) -> Answer:
    """Send an event until the answer's status is `status`, and return that answer."""
    deadline = time.monotonic() + seconds
    while (got := post(url, "/v1/track", event("track"), write_key=write_key)).status != status:
        assert time.monotonic() < deadline, f"still {got} after {seconds} s"
        time.sleep(0.25)
    return got


def test_every_call_type_and_a_batch_of_them_reach_the_stream(
    world: World, serving: str, tmp_path: Path
) -> None:
    single = [event(type_) for type_ in CALLS]
    for sent in single:
        assert post(serving, f"/v1/{sent['type']}", sent).body == {"success": True}
    batch = [event(type_, timestamp="2026-01-02T03:04:05.678Z") for type_ in CALLS]
    answered = post(serving, "/v1/batch", {"batch": batch, "sentAt": "2026-01-02T03:04:06.000Z"})
    assert (answered.status, answered.body) == (200, {"success": True})

    found = by_message_id(world.records_of(world.outputs.stream_name, tmp_path / "tail.log"))
    for sent in [*single, *batch]:
        record = found[sent["messageId"]]
        assert record["partitionKey"] == "user-1"
        corrected = {key: value for key, value in sent.items() if key != "timestamp"}
        assert corrected.items() <= record["event"].items()
        assert {"timestamp", "receivedAt"} <= record["event"].keys()
    for sent in batch:
        stamped = found[sent["messageId"]]["event"]
        assert stamped["originalTimestamp"] == "2026-01-02T03:04:05.678Z"
        assert stamped["sentAt"] == "2026-01-02T03:04:06.000Z"


def test_order_of_a_user_is_order_in_the_stream(world: World, serving: str, tmp_path: Path) -> None:
    user = str(uuid.uuid4())
    sent = [event("track", userId=user, properties={"n": n}) for n in range(60)]
    for begin in range(0, 60, 20):
        assert post(serving, "/v1/batch", {"batch": sent[begin : begin + 20]}).status == 200
    records = world.records_of(world.outputs.stream_name, tmp_path / "tail.log")
    of_user = [record["event"]["messageId"] for record in records if record["partitionKey"] == user]
    assert of_user == [event["messageId"] for event in sent]


def test_a_bad_event_does_not_take_the_good_ones_of_its_batch_with_it(
    world: World, serving: str, tmp_path: Path
) -> None:
    good = event("track")
    bad = {"type": "track", "event": "No one's"}
    answered = post(serving, "/v1/batch", {"batch": [bad, good]})
    assert answered.status == 200
    assert [(one["index"], one["code"]) for one in answered.body["rejected"]] == [(0, "no_user_anon_id")]
    assert good["messageId"] in by_message_id(
        world.records_of(world.outputs.stream_name, tmp_path / "tail.log")
    )


@pytest.mark.parametrize(
    ("path", "body", "write_key", "status"),
    [
        ("/v1/track", b"{", WRITE_KEY, 400),
        ("/v1/track", event("track"), "wk_of_nobody", 401),
        ("/v1/track", event("track"), "", 401),
        ("/v1/batch", {"batch": [event("track", properties={"x": "y" * 600_000})]}, WRITE_KEY, 413),
        ("/v1/nothing", event("track"), WRITE_KEY, 404),
    ],
)
def test_a_bad_request_is_answered_as_the_sdks_read_it(
    serving: str, path: str, body: Any, write_key: str, status: int
) -> None:
    answered = post(serving, path, body, write_key=write_key)
    assert answered.status == status
    assert answered.body["success"] is False
    assert answered.body["code"]
    assert answered.body["message"]


def test_a_role_that_refuses_pauses_its_destination_alone_until_it_trusts(world: World, serve: Serve) -> None:
    role = make_role(world, "refusing", external_id="another")
    outputs = replace(world.outputs, role_address=role)
    broken = source_toml("src_refused", "Refused", "wk_refused", outputs)
    with serve(healthy_source(world) + "\n" + broken) as (url, child):
        for _ in range(3):
            refused = post(url, "/v1/track", event("track"), write_key="wk_refused")
            assert refused.status == 503
            assert refused.body["success"] is False
            assert 1 <= int(refused.headers["Retry-After"]) <= 300
            assert post(url, "/v1/track", event("track")).status == 200
        naming = [line for line in log_lines(child) if "src_refused" in json.dumps(line)]
        assert len(naming) == 1, naming
        assert role in json.dumps(naming[0])

        world.owner_iam.update_assume_role_policy(RoleName="refusing", PolicyDocument=trust("src_refused"))
        wait_for(url, "wk_refused", 200)
        assert child.process.poll() is None


def test_a_missing_stream_pauses_its_destination_until_it_is_there(world: World, serve: Serve) -> None:
    role = make_role(world, "early", external_id="src_early")
    outputs = replace(world.outputs, role_address=role, stream_name="not-made-yet")
    with serve(source_toml("src_early", "Early", "wk_early", outputs)) as (url, child):
        for _ in range(3):
            assert post(url, "/v1/track", event("track"), write_key="wk_early").status == 503
        naming = [line for line in log_lines(child) if "not-made-yet" in json.dumps(line)]
        assert len(naming) == 1, naming
        assert "src_early" in json.dumps(naming[0])

        world.aws.client("kinesis", world.aws.root(OWNER), "us-west-2").create_stream(
            StreamName="not-made-yet", ShardCount=1
        )
        wait_for(url, "wk_early", 200)
        assert child.process.poll() is None


def test_changed_settings_are_in_force_without_a_restart(world: World, serve: Serve, tmp_path: Path) -> None:
    with serve(healthy_source(world)) as (url, child):
        assert post(url, "/v1/track", event("track"), write_key="wk_added").status == 401
        changed = source_toml(SOURCE_ID, "Website", "wk_added", world.outputs)
        (tmp_path / "sources-0.toml").write_text(changed, encoding="utf-8")
        wait_for(url, "wk_added", 200)
        assert post(url, "/v1/track", event("track")).status == 401
        assert child.process.poll() is None


def test_a_key_is_good_as_soon_as_it_is_in_the_file_and_503_while_the_file_is_not_valid(
    world: World, serve: Serve, tmp_path: Path
) -> None:
    with serve(healthy_source(world)) as (url, _):
        assert post(url, "/v1/track", event("track"), write_key="wk_added").status == 401
        (tmp_path / "sources-0.toml").write_text("not TOML", encoding="utf-8")
        refused = post(url, "/v1/track", event("track"), write_key="wk_added")
        assert (refused.status, refused.body["code"]) == (503, "settings_unread")
        assert post(url, "/v1/track", event("track")).status == 200
        added = source_toml(SOURCE_ID, "Website", "wk_added", world.outputs)
        (tmp_path / "sources-0.toml").write_text(added, encoding="utf-8")
        assert post(url, "/v1/track", event("track"), write_key="wk_added").status == 200


@pytest.mark.slow
def test_sigterm_drains_and_nothing_acknowledged_is_lost(world: World, serve: Serve, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()

    def send(url: str) -> None:
        while not stop.is_set():
            batch = [event("track") for _ in range(20)]
            try:
                if post(url, "/v1/batch", {"batch": batch}).status != 200:
                    return
            except OSError:  # its socket is closed
                return
            acknowledged.extend(one["messageId"] for one in batch)

    with serve(healthy_source(world)) as (url, child):
        senders = [threading.Thread(target=send, args=(url,)) for _ in range(4)]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 30
        while len(acknowledged) < 400 and time.monotonic() < deadline:
            time.sleep(0.01)
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(30) == 0
        stop.set()
        for sender in senders:
            sender.join(30)
        assert answer(f"{url}/healthz") is None
        log_lines(child)
    found = by_message_id(world.records_of(world.outputs.stream_name, tmp_path / "tail.log"))
    assert len(acknowledged) >= 400
    assert set(acknowledged) <= found.keys()
