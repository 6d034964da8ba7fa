"""What the forwarder tells of itself while it delivers: `/statusz`, and metrics on standard output."""

import json
import signal
from pathlib import Path
from typing import Any

from demo.forwarder import HEADGATE, source_toml
from demo.processes import answer, free_port, running
from demo.story import SOURCE_ID
from tests.acceptance.world import WRITE_KEY, World, post

BATCH = {"batch": [{"type": "track", "userId": "u", "event": "e"}, {"type": "track", "userId": "u"}]}


def test_two_workers_tell_what_they_delivered_and_why_a_destination_is_paused(
    world: World, tmp_path: Path
) -> None:
    well = source_toml(SOURCE_ID, "Website", WRITE_KEY, world.outputs)
    ill = source_toml("src_untrusted", "Untrusted", "wk_untrusted", world.outputs)
    sources, log = tmp_path / "sources.toml", tmp_path / "log"
    sources.write_text(well + "\n" + ill, encoding="utf-8")
    port, status_port = free_port(), free_port()
    command = [HEADGATE, "serve", "--sources", sources, "--port", str(port), "--drain", "0"]
    command += ["--status-port", str(status_port), "--workers", "2"]
    url = f"http://127.0.0.1:{port}"

    def status() -> dict[str, Any]:
        page: dict[str, Any] = json.loads(answer(f"http://127.0.0.1:{status_port}/statusz") or "{}")
        return page

    with running("serve", command, environment=world.caller_environment, log=log) as child:
        child.wait_until(lambda: answer(f"{url}/healthz") is not None, 25)
        for _ in range(8):
            assert post(url, "/v1/batch", BATCH).status == 200
        assert post(url, "/v1/batch", BATCH, write_key="wk_untrusted").status == 503

        child.wait_until(lambda: status()["metrics"].get("UnavailableRequests") == 1, 20)
        child.wait_until(lambda: status()["metrics"]["AcceptedEvents"] == 9, 20)
        shown = status()
        assert shown["sources"] == {
            SOURCE_ID: {"accepted": 8, "rejected": {"event_not_defined": 8}},
            "src_untrusted": {"accepted": 1, "rejected": {"event_not_defined": 1}},
        }
        delivered = shown["destinations"][f"{SOURCE_ID}/{world.outputs.stream_name}"]
        assert delivered["endpoint"] == world.aws.endpoint_url
        assert delivered["paused"] is None
        assert delivered["metrics"]["DeliveredRecords"] == 8
        assert delivered["metrics"]["HeldBytes"] == 0
        assert delivered["metrics"]["PutLatency"]["count"] >= 8
        paused = shown["destinations"][f"src_untrusted/{world.outputs.stream_name}"]
        assert paused["paused"]["code"] == "AssumeRoleDenied"
        assert world.outputs.role_address in paused["paused"]["reason"]
        assert paused["metrics"]["Paused"] == 1
        assert not any(secret in json.dumps(shown) for secret in (WRITE_KEY, "wk_untrusted"))

        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(20) == 0
    documents = [line for line in map(json.loads, log.read_text().splitlines()) if "_aws" in line]
    assert sum(document.get("AcceptedEvents", 0) for document in documents) == 9
    assert sum(document.get("DeliveredRecords", 0) for document in documents) == 8
    assert sum(sum(document.get("PutLatency", {}).get("Counts", [])) for document in documents) >= 8
    assert {document.get("Destination") for document in documents if document.get("Paused")} == {
        f"src_untrusted/{world.outputs.stream_name}"
    }
