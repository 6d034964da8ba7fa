"""Write keys that the settings hold as hashes, and what a change of the settings leaves as it is."""

import json
from typing import Any

import pytest

from headgate.ingest import routes as module
from headgate.ingest.routes import Routes
from headgate.settings.schema import Destination, Source, by_write_key
from headgate.settings.write_keys import hashed
from tests.ingest.serving import TRACK, serving


def source(name: str, *keys: str, origin: str = "*") -> Source:
    return Source(
        id=name, write_keys=keys, allowed_origins=(origin,), destinations=(Destination(stream_name=name),)
    )


def test_a_key_is_found_by_itself_and_by_its_hash() -> None:
    routes = Routes(by_write_key([source("a", "plain", hashed("one")), source("b", hashed("two"))]))
    for key, name in (("plain", "a"), ("one", "a"), ("two", "b")):
        for _ in range(2):
            route = routes.get(key)
            assert route is not None
            assert route.source.id == name
    assert {target.stream_name for target in routes.targets} == {"a", "b"}


@pytest.mark.parametrize(
    "key", [None, "", "three", hashed("one"), hashed("plain"), hashed("one")[7:], "\ud800"]
)
def test_a_hash_is_no_key(key: str | None) -> None:
    routes = Routes(by_write_key([source("a", "plain", hashed("one"))]))
    assert routes.get(key) is None


def test_a_key_is_hashed_once_and_where_there_are_no_hashes_never(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    hash_of = module.hash_of

    def counted(key: str) -> str:
        taken.append(key)
        return hash_of(key)

    monkeypatch.setattr(module, "hash_of", counted)
    routes = Routes(by_write_key([source("a", hashed("one"))]))
    for _ in range(3):
        routes.get("one")
    assert taken == ["one"]
    plain = Routes(by_write_key([source("a", "one")]))
    plain.get("one"), plain.get("two")
    assert taken == ["one"]


def test_routes_of_sources_that_did_not_change_stay() -> None:
    a, b = source("a", "ka"), source("b", "kb")
    before = Routes(by_write_key([a, b]))
    after = Routes(by_write_key([a, source("b", "kb", "kc")]), before)
    assert after.get("ka") is before.get("ka")
    assert after.get("kb") is not before.get("kb")
    assert after.get("kc") is after.get("kb")
    assert Routes(by_write_key([b]), after).get("ka") is None


async def test_a_request_is_taken_by_a_hash_and_one_with_the_hash_itself_is_not() -> None:
    async with serving(source("a", hashed("wk"))) as client:
        for key, status in (("wk", 200), ("wk", 200), (hashed("wk"), 401)):
            event: dict[str, Any] = {**TRACK, "writeKey": key}
            assert (await client.ask("/v1/track", json.dumps(event).encode(), auth=False)).status == status


async def test_while_there_is_no_source_at_all_a_client_keeps_its_events() -> None:
    async def reread() -> None:
        pass

    async with serving(reread=reread) as client:
        client.api.take({})
        answer = await client.ask("/v1/track", b'{"type": "track"}')
        assert (answer.status, answer.body["code"]) == (503, "settings_unread")
        client.api.take({"other": source("a", "other")})
        assert (await client.ask("/v1/track", b'{"type": "track"}')).status == 401
