"""Scripting a fake that is another process: a few JSON requests below `/_headgate/`.

| request | what it does |
|---|---|
| `GET /_headgate/ledger` | answers with calls, errors, totals, and totals by stream and shard |
| `POST /_headgate/faults` | adds a fault: `{"fault": "FailRequests", "code": "...", ...}` |
| `DELETE /_headgate/faults` | lifts all faults |
| `POST /_headgate/throttle` | throttles all shards: `{"bytes_per_second": ..., "records_per_second": ...}` |
| `POST /_headgate/reset` | begins anew |
"""

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from headgate.testing.buckets import Limits
from headgate.testing.faults import Fault

if TYPE_CHECKING:
    from headgate.testing.fake import FakeKinesis


async def administer(fake: "FakeKinesis", http: web.BaseRequest) -> web.Response:
    """Answer one request of the admin API."""
    body = await http.content.read()
    what = f"{http.method} {http.path.rpartition('/')[2]}"
    try:
        match what:
            case "GET ledger":
                return _json(200, _ledger(fake))
            case "POST faults":
                fake.faults.add(msgspec.json.decode(body, type=Fault))
            case "DELETE faults":
                fake.faults.clear()
            case "POST throttle":
                fake.throttle(msgspec.json.decode(body, type=Limits))
            case "POST reset":
                fake.reset()
            case _:
                return _json(404, {"error": f"no request {what!r} is known"})
    except msgspec.DecodeError as fault:
        return _json(400, {"error": str(fault)})
    return _json(200, {})


def _ledger(fake: "FakeKinesis") -> dict[str, Any]:
    ledger = fake.ledger
    return {
        "calls": ledger.calls,
        "errors": ledger.errors,
        "totals": ledger.totals(),
        "streams": {name: ledger.shards(name) for name in ledger.streams},
    }


def _json(status: int, value: object) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(value), headers={"Content-Type": "application/json"}
    )
