"""The pages of destinations, on a table in moto: what is shown, changed, refused, and never shown."""

import html
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from headgate.console.destinations.source_paths import path_of
from headgate.settings.aws_service import AwsService, Refused
from headgate.settings.schema import CALL_TYPES, Source
from headgate.settings.write_keys import hashed, shown
from tests.console.visitor import Answer, Visitor, visiting
from tests.settings.table.in_moto import NAME, ROLE, World, world_in_moto

SECRETS = ("planted-secret-one", "planted-secret-two")
KEYS = ("wk_planted_one", "wk_planted_two")
HOSTILE = "<script>alert(1)</script>\"'&\u202e"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def module_world() -> Iterator[World]:
    """A table with two sources; the one has two destinations, and a Secret ID for the first."""
    with world_in_moto() as world, pytest.MonkeyPatch.context() as patch:
        # A session of one's own reads all that botocore knows anew.
        patch.setattr("botocore.session.get_session", lambda: world.session)
        world.begin()
        keys = f"write_keys={','.join(KEYS)}"
        first = {"destination": "events", "secret_id": SECRETS[0]}
        world.set("web", "name=Website", keys, f"role_address={ROLE}", **first)
        world.set("web", "event_types=track", destination="eu-west-1/orders")
        world.set("app", "write_keys=wk_app", destination="events")
        yield world


@pytest.fixture(scope="module")
def items(module_world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = module_world.dynamodb.scan(TableName=NAME)["Items"]
    return found


@pytest.fixture
def world(module_world: World, items: list[dict[str, Any]]) -> World:
    module_world.begin()
    requests = [{"PutRequest": {"Item": item}} for item in items]
    module_world.dynamodb.batch_write_item(RequestItems={NAME: requests})
    return module_world


class Looking(Visitor):
    """A visitor who keeps all that was answered, to see that no secret is in it."""

    answers: list[Answer]

    async def get(self, path: str, **headers: str) -> Answer:
        return self._kept(await super().get(path, **headers))

    async def post(self, path: str, fields: Any = None, **headers: str) -> Answer:
        return self._kept(await super().post(path, fields, **headers))

    def _kept(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        return answer

    def assert_no_secret(self) -> None:
        for answer in self.answers:
            assert "planted" not in answer.text
            assert all("planted" not in value for value in answer.headers.values())


@asynccontextmanager
async def looking(directory: Path, sources: str | None) -> AsyncIterator[Looking]:
    async with visiting(directory, sources=sources) as plain:
        visitor = Looking(**vars(plain))
        visitor.answers = []
        yield visitor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(module_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Looking]:
    async with looking(tmp_path_factory.mktemp("console"), f"dynamodb://{NAME}") as visitor:
        yield visitor


@pytest.fixture
def visitor(world: World, opened: Looking) -> Iterator[Looking]:
    opened.answers = []
    yield opened
    opened.assert_no_secret()


def inputs_of(text: str, form: str) -> dict[str, str]:
    """Return the fields of a page's form as a browser would send them untouched.

    Args:
        text: the page.
        form: what its parts are called by.
    """
    page = dict(re.findall(r'<input type="hidden" name="(version|page)" value="(\d+)">', text))
    found = re.search(rf'<form(?:(?!</form>).)*name="at" value="{form}".*?</form>', text, re.DOTALL)
    assert found is not None
    fields = page | {"at": form}
    for tag, attributes in re.findall(r"<(input|select|textarea)\b([^>]*)>", found[0]):
        names = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        if tag == "input" and (names.get("type") != "checkbox" or " checked" in attributes):
            default = "on" if names.get("type") == "checkbox" else ""
            fields[names["name"]] = html.unescape(names.get("value", default))
    for name, options in re.findall(r'<select[^>]*name="(\w+)".*?>(.*?)</select>', found[0], re.DOTALL):
        chosen = re.search(r"<option selected>([^<]*)", options)
        assert chosen is not None
        fields[name] = chosen[1]
    for name, value in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', found[0], re.DOTALL):
        fields[name] = html.unescape(value)
    return fields


def lines_of(answer: Answer) -> dict[str, str]:
    """Return what is said to be wrong, by field."""
    found = re.findall(r'<p id="wrong-\w+-(\w+)" hx-swap-oob="innerHTML">(.+?)</p>', answer.text)
    return {name: html.unescape(line) for name, line in found}


async def form_at(visitor: Visitor, path: str, form: str = "destination") -> dict[str, str]:
    answer = await visitor.get(path)
    assert answer.status == 200
    return inputs_of(answer.text, form)


def read(world: World) -> dict[str, Source]:
    """Return what the forwarder reads, by source ID."""
    return {source.id: source for source in world.store().latest().sources().values()}


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have AWS refuse an operation from now on."""
    refused: set[str] = set()
    call = AwsService.call

    def answered(self: AwsService, operation: str, **members: Any) -> dict[str, Any]:
        if operation in refused:
            error = {"Error": {"Code": "AccessDeniedException", "Message": f"{operation} is not allowed"}}
            text = f"aws: AccessDeniedException: {operation} is not allowed"
            raise Refused(text, ClientError(error, operation))  # type: ignore[arg-type]
        return call(self, operation, **members)

    monkeypatch.setattr(AwsService, "call", answered)
    return refused.add


async def test_every_source_is_listed_with_its_destinations(visitor: Looking, world: World) -> None:
    strange = f"a/b?{HOSTILE}"
    world.set(strange, f"name={HOSTILE}", "write_keys=k", destination="events")
    answer = await visitor.get("/destinations")
    for path in ("/destinations/web/1", "/destinations/web/2", "/destinations/app/1", path_of(strange, 1)):
        assert f'href="{path}"' in answer.text
        assert (await visitor.get(path)).status == 200
    assert "2 write keys" in answer.text
    assert "Version 2, changed by" in answer.text
    assert "<script>alert" not in answer.text
    found = await visitor.get("/destinations?q=ORDERS")
    assert "/destinations/web/1" in found.text
    assert "/destinations/app/1" not in found.text
    assert "No source has that" in (await visitor.get("/destinations?q=nothing")).text


@pytest.mark.parametrize(
    "path",
    [
        "/destinations/web/0",
        "/destinations/web/3",
        "/destinations/nobody/1",
        f"/destinations/{'x' * 3_000}/1",
    ],
)
async def test_a_destination_that_there_is_not_has_no_page(visitor: Looking, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status == 404
    assert "there is no destination" in answer.text


async def test_a_form_that_nobody_touched_saves_nothing(visitor: Looking, world: World) -> None:
    before = world.dump()
    for form in ("destination", "source"):
        answer = await visitor.post("/destinations/save", await form_at(visitor, "/destinations/web/1", form))
        assert (answer.status, "Nothing was to be changed" in answer.text) == (200, True)
    assert world.dump() == before


async def test_what_is_saved_is_in_the_table_and_the_history_tells_it(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/2")
    del form["event_types.track"]
    typed = {"stream_name": "carts", "partition_key": "context.groupId", "event_types.page": "on"}
    answer = await visitor.post("/destinations/save", form | typed)
    assert answer.status == 200
    assert "Saved as version 4." in answer.text
    assert "within about 10 s" in answer.text
    assert "eu-west-1/carts: partition_key" in answer.text
    assert 'name="version" value="4"' in answer.text
    destination = read(world)["web"].destinations[1]
    assert (destination.stream_name, destination.event_types) == ("carts", ("page",))
    assert destination.partition_key == "context.groupId"
    history = await visitor.get("/destinations/history?source=web")
    assert "<strong>Version 4</strong>" in history.text
    assert "user/moto" in history.text


async def test_a_source_has_fields_of_its_own(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/2", "source")
    typed = {
        "name": HOSTILE,
        "allowed_origins": "https://a.example\r\nnull\r\n",
        "max_events_per_second": "7",
    }
    del form["enabled"]
    answer = await visitor.post("/destinations/save", form | typed)
    assert "Saved as version 4." in answer.text
    assert "<script>alert" not in answer.text
    web = read(world)["web"]
    assert (web.name, web.max_events_per_second, web.enabled) == (HOSTILE, 7, False)
    assert web.allowed_origins == ("https://a.example", "null")
    assert "eu-west-1/orders" in answer.text  # the page stays one of the destination that it was of


async def test_what_is_wrong_is_told_while_it_is_typed_and_refused(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    typed = form | {"region": "us-wset-2", "role_address": HOSTILE, "secret_id": "planted secret"}
    told = await visitor.post("/destinations/faults", typed, **{"HX-Trigger-Name": "region"})
    assert told.status == 200
    lines = lines_of(told)
    assert lines.keys() == {"region", "role_address", "secret_id"}
    assert "did you mean us-west-2" in lines["region"]
    assert "<script>" not in told.text
    before = world.dump()
    refused = await visitor.post("/destinations/save", typed)
    assert refused.status == 422
    assert lines_of(refused) == lines
    assert "Not saved. Wrong: " in refused.text
    assert '<a href="#destination-region">AWS Kinesis Stream Region</a>' in refused.text
    # No field comes back, so what was typed stays where it is.
    assert not re.search(r"<(input|select|textarea|form)\b", refused.text)
    assert world.dump() == before


async def test_what_is_yet_to_be_filled_in_is_told_where_somebody_is_or_when_it_is_saved(
    visitor: Looking,
) -> None:
    form = await form_at(visitor, "/destinations/add", "new")
    silent = await visitor.post("/destinations/faults", form, **{"HX-Trigger-Name": "region"})
    assert lines_of(silent) == {}
    there = await visitor.post("/destinations/faults", form, **{"HX-Trigger-Name": "stream_name"})
    assert lines_of(there).keys() == {"stream_name"}
    assert lines_of(await visitor.post("/destinations/save", form)).keys() == {
        "id",
        "stream_name",
        "write_keys",
    }
    taken = await visitor.post("/destinations/faults", form | {"id": "web"}, **{"HX-Trigger-Name": "id"})
    assert "there is a source 'web' already" in lines_of(taken)["id"]


async def test_a_stale_change_is_refused_and_may_go_on(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    world.set("web", "wire=json", "ordering=strict", destination="#1")
    typed = form | {"wire": "cbor", "max_record_kib": "2048"}
    answer = await visitor.post("/destinations/save", typed)
    assert answer.status == 409
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
    assert "at version 4 now, and this page was made of version 2" in text
    assert "us-west-2/events: wire : auto → json" in text
    assert "assumed-role/operator/me" in text
    assert "Wire json cbor" in text
    assert "Ordering strict lane" in text
    assert "Largest record 1024 2048" in text
    assert 'name="over" value="4"' in answer.text
    assert read(world)["web"].destinations[0].wire == "json"
    answer = await visitor.post("/destinations/save", typed | {"over": "4"})
    assert "Saved as version 5." in answer.text
    destination = read(world)["web"].destinations[0]
    assert (destination.wire, destination.ordering, destination.max_record_kib) == ("cbor", "lane", 2048)
    assert destination.secret_id == SECRETS[0]


async def test_a_change_of_a_destination_that_is_gone_makes_a_new_one_if_it_goes_on(
    visitor: Looking, world: World
) -> None:
    form = await form_at(visitor, "/destinations/web/2")
    other = await form_at(visitor, "/destinations/web/2", "remove")
    assert "Removed" in (await visitor.post("/destinations/remove", other)).text
    answer = await visitor.post("/destinations/save", form)
    assert answer.status == 409
    assert "It would become a new destination" in answer.text
    answer = await visitor.post("/destinations/save", form | {"over": "4"})
    assert "Saved as version 5." in answer.text
    assert [each.stream_name for each in read(world)["web"].destinations] == ["events", "orders"]
    world.remove("web")
    answer = await visitor.post("/destinations/save", form | {"version": "5"})
    assert answer.status == 409
    assert "somebody has removed the source" in answer.text
    assert 'name="over"' not in answer.text


async def test_a_secret_id_is_kept_replaced_and_taken_away(visitor: Looking, world: World) -> None:
    page = await visitor.get("/destinations/web/1")
    assert "A Secret ID is set" in page.text
    assert 'type="password"' in page.text
    form = inputs_of(page.text, "destination")

    def secret() -> str | None:
        return read(world)["web"].destinations[0].secret_id

    for typed, expected in (
        ({"wire": "json"}, SECRETS[0]),
        ({"secret_id": SECRETS[1]}, SECRETS[1]),
        ({"secret_id.remove": "on"}, None),
    ):
        answer = await visitor.post("/destinations/save", form | typed)
        [version] = re.findall(r"Saved as version (\d+)", answer.text)
        assert secret() == expected
        form |= {"version": version} | ({"wire": "json"} if "wire" in typed else {})
    assert "None is set: the source ID is sent" in answer.text
    assert "set → -" in re.sub(r"<[^>]+>", "", answer.text)


async def test_a_secret_id_does_not_go_with_its_stream_to_another_name(
    visitor: Looking, world: World
) -> None:
    form = await form_at(visitor, "/destinations/web/1") | {"stream_name": "others"}
    said = {"secret_id": "the Secret ID is encrypted for the stream before; give it again"}
    assert lines_of(await visitor.post("/destinations/faults", form)) == said
    assert lines_of(await visitor.post("/destinations/save", form)) == said
    answer = await visitor.post("/destinations/save", form | {"secret_id": SECRETS[1]})
    assert "Saved as version" in answer.text
    destination = read(world)["web"].destinations[0]
    assert (destination.stream_name, destination.secret_id) == ("others", SECRETS[1])


async def test_write_keys_are_added_and_removed_and_shown_as_hashes(visitor: Looking, world: World) -> None:
    page = await visitor.get("/destinations/web/1")
    assert all(shown(each) in page.text for each in KEYS)
    assert all(hashed(each) not in page.text for each in KEYS)
    fields = {"at": "keys", "source": "web", "version": "2", "page": "1"}
    answer = await visitor.post("/destinations/write-keys", fields | {"write_keys": " wk_planted_three "})
    assert "Saved as version 4." in answer.text
    assert hashed("wk_planted_three") in read(world)["web"].write_keys
    answer = await visitor.post(
        "/destinations/write-keys", fields | {"version": "4", "remove": shown(KEYS[0])}
    )
    assert "Saved as version 5." in answer.text
    assert hashed(KEYS[0]) not in read(world)["web"].write_keys
    fields |= {"version": "5"}
    for typed, said in (
        ("", "an empty write key"),
        ("sha256:12", "begins with sha256: and is no hash"),
        ("wk_app", f"{shown('wk_app')} is a write key of 'app'"),
    ):
        refused = await visitor.post("/destinations/write-keys", fields | {"write_keys": typed})
        assert refused.status == 422
        assert said in lines_of(refused)["write_keys"]
    stale = await visitor.post("/destinations/write-keys", fields | {"version": "4", "write_keys": "k"})
    assert stale.status == 409
    assert "Look at version 5" in stale.text


async def test_a_destination_is_added_to_a_source(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/add?source=web")
    assert (form["place"], form["region"], form["ordering"]) == ("new", "us-west-2", "lane")
    answer = await visitor.post("/destinations/save", form | {"stream_name": "events"})
    assert answer.status == 200  # of another role, so another destination of the stream
    assert "Saved as version 4." in answer.text
    assert 'href="/destinations/web/3"' in answer.text
    answer = await visitor.post("/destinations/save", form | {"stream_name": "more"})
    assert answer.status == 409
    answer = await visitor.post("/destinations/save", form | {"stream_name": "more", "over": "4"})
    assert 'href="/destinations/web/4"' in answer.text
    names = [each.stream_name for each in read(world)["web"].destinations]
    assert names == ["events", "orders", "events", "more"]


@pytest.mark.parametrize("source_id", ["shop", "a/b", "..", f"%2F {HOSTILE}", "x\u00e9" * 128])
async def test_a_source_is_added_with_its_first_destination_and_removed(
    visitor: Looking, world: World, source_id: str
) -> None:
    form = await form_at(visitor, "/destinations/add", "new")
    form |= {"id": source_id, "write_keys": "wk_planted_shop", "stream_name": "events", "secret_id": ""}
    form |= {"role_address": ROLE, "name": HOSTILE, "secret_id": SECRETS[1]}
    answer = await visitor.post("/destinations/save", form)
    assert "Saved as version 4." in answer.text
    assert f'href="{path_of(source_id, 1)}"' in answer.text
    assert "<script>alert" not in answer.text
    made = read(world)[source_id]
    assert (made.write_keys, made.destinations[0].secret_id) == ((hashed("wk_planted_shop"),), SECRETS[1])
    assert made.destinations[0].event_types == CALL_TYPES
    assert "already" in lines_of(await visitor.post("/destinations/save", form))["id"]
    page = await visitor.get(path_of(source_id, 1))
    assert "<script>alert" not in page.text
    assert "It is the only destination of its source" in page.text
    answer = await visitor.post("/destinations/remove", inputs_of(page.text, "discard"))
    assert "Saved as version 5." in answer.text
    assert source_id not in read(world)


async def test_the_last_destination_of_a_source_stays(visitor: Looking, world: World) -> None:
    fields = {"at": "remove", "source": "app", "version": "3", "page": "1", "place": "1"}
    answer = await visitor.post("/destinations/remove", fields)
    assert answer.status == 422
    assert "expected array of length &gt;= 1" in answer.text
    for hidden in ("place", "at"):  # a form that says less removes no more
        del fields[hidden]
        assert (await visitor.post("/destinations/remove", fields)).status == 422
    assert "app" in read(world)


async def test_a_source_is_disabled_and_enabled_in_the_list(visitor: Looking, world: World) -> None:
    fields = {"at": "switch-x", "source": "web", "version": "2", "enabled": "false"}
    answer = await visitor.post("/destinations/switch", fields)
    assert "Enable <bdi>web</bdi>" in answer.text
    assert not read(world)["web"].enabled
    assert (await visitor.post("/destinations/switch", fields)).status == 409
    assert (await visitor.post("/destinations/save", fields | {"version": "4"})).status == 422
    answer = await visitor.post("/destinations/switch", fields | {"version": "4", "enabled": "true"})
    assert 'aria-label="Disable web"' in answer.text
    assert read(world)["web"].enabled


async def test_the_history_is_paged_from_the_newest(visitor: Looking, world: World) -> None:
    for number in range(22):
        world.set("web", f"name=Name {number}")
    first = await visitor.get("/destinations/history?source=web")
    versions = [int(each) for each in re.findall(r"<strong>Version (\d+)</strong>", first.text)]
    assert versions == list(range(25, 5, -1))
    [older] = re.findall(r'hx-get="([^"]+)"', first.text)
    second = await visitor.get(html.unescape(older))
    assert re.findall(r"<strong>Version (\d+)</strong>", second.text) == ["5", "4", "2", "1"]
    assert "Older changes" not in second.text
    for before in ("x", "", "0", "\u0661", "9" * 5_000):
        assert (await visitor.get(f"/destinations/history?source=web&before={before}")).status == 400


@pytest.mark.parametrize(
    ("operation", "typed"),
    [
        ("encrypt", {"secret_id": SECRETS[1]}),
        ("describe_table", {"secret_id": SECRETS[1]}),
        ("transact_write_items", {"wire": "json"}),
        ("get_caller_identity", {"wire": "json"}),
        ("get_item", {"wire": "json"}),
    ],
)
async def test_what_aws_refuses_is_one_line_and_nothing_is_lost(
    visitor: Looking, world: World, refuse: Callable[[str], None], operation: str, typed: dict[str, str]
) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    refuse(operation)
    answer = await visitor.post("/destinations/save", form | typed)
    assert answer.status == 502
    assert f"Not saved: aws: AccessDeniedException: {operation} is not allowed" in answer.text
    assert not re.search(r"<(input|select|textarea|form)\b", answer.text)


async def test_a_table_that_cannot_be_read_is_said_on_every_page(
    visitor: Looking, world: World, refuse: Callable[[str], None]
) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    refuse("query")
    refuse("get_item")
    for path in ("/destinations", "/destinations/web/1", "/destinations/history?source=web"):
        answer = await visitor.get(path)
        assert answer.status == 502
        assert "AccessDeniedException" in answer.text
    told = await visitor.post("/destinations/faults", form)
    assert "get_item is not allowed" in told.text


async def test_a_table_that_is_gone_is_said(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    world.dynamodb.delete_table(TableName=NAME)
    answer = await visitor.post("/destinations/save", form | {"wire": "json"})
    assert answer.status == 502
    assert "ResourceNotFoundException" in answer.text


async def test_what_no_page_of_the_console_made_is_refused(visitor: Looking, world: World) -> None:
    before = world.dump()
    there = {"at": "destination", "source": "web"}
    for fields in (
        {},
        there,
        there | {"version": "2", "place": "0"},
        there | {"version": "-1", "place": "1"},
        there | {"version": "9" * 99, "place": "1"},
        there | {"version": "2", "place": "1", "page": "\u0661"},
        {"at": HOSTILE, "source": "web", "version": "x"},
        {"at": "remove", "source": "web", "version": "2"},
    ):
        for path in ("save", "faults", "write-keys", "switch", "remove"):
            answer = await visitor.post(f"/destinations/{path}", fields)
            assert answer.status == 422
            assert "load the page anew" in answer.text
            assert "<script>" not in answer.text
    assert world.dump() == before


async def test_a_body_that_is_no_form_is_refused(visitor: Looking) -> None:
    headers = {"X-CSRF-Token": visitor.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"at=%ff", b"at=\xff", b"&".join([b"a=1"] * 2_000)):
        async with visitor.http.post(
            visitor.url + "/destinations/save", data=body, headers=headers
        ) as answer:
            assert answer.status in (400, 422)


async def test_hostile_values_in_every_field_are_inert(visitor: Looking, world: World) -> None:
    form = await form_at(visitor, "/destinations/web/1")
    typed = {
        name: HOSTILE
        for name in form
        if name not in ("at", "source", "version", "page", "place", "secret_id")
    }
    for path in ("faults", "save"):
        answer = await visitor.post(f"/destinations/{path}", form | typed)
        assert "<script>" not in answer.text
        assert "\u202e" not in answer.text
    world.set("web", "wire=json", destination="#1")
    stale = await visitor.post("/destinations/save", form | typed)
    assert stale.status == 409
    assert "<script>" not in stale.text
    assert "&lt;script&gt;" in stale.text


async def test_a_check_decrypts_here_and_tells_its_steps(visitor: Looking) -> None:
    begun = await visitor.post("/destinations/check", {"source": "web", "place": "1"})
    [path] = re.findall(r'sse-connect="([^"]+)"', begun.text)
    events = await visitor.events(html.unescape(path), 1_000)
    assert events[-1] == ("end", "")
    steps = [data for name, data in events if name == "steps"][-1]
    assert "assumed with the Secret ID (secret_id) as the External ID" in steps
    assert "there is no stream &#39;events&#39;" in steps
    assert ("state", "Something is wrong with this destination.") in [
        (name, data.strip()) for name, data in events
    ]
    everything = "".join(data for _, data in events)
    assert not any(planted in everything for planted in SECRETS)


async def test_a_check_whose_secret_id_may_not_be_decrypted_says_so(
    visitor: Looking, refuse: Callable[[str], None]
) -> None:
    refuse("decrypt")
    begun = await visitor.post("/destinations/check", {"source": "web", "place": "1"})
    [path] = re.findall(r'sse-connect="([^"]+)"', begun.text)
    events = await visitor.events(html.unescape(path), 1_000)
    [*_, (_, state), (end, _)] = events
    assert end == "end"
    assert "the Secret ID of the source &#39;web&#39; for &#39;events&#39; cannot be decrypted" in state
    assert "decrypt is not allowed" in state


async def test_what_a_file_keeps_is_only_shown(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(
        f'[[sources]]\nid = "web"\nname = "<b>"\nwrite_keys = ["{KEYS[0]}"]\n[[sources.destinations]]\n'
        f'stream_name = "events"\nrole_address = "{ROLE}"\nsecret_id = "{SECRETS[0]}"\n'
    )
    async with looking(tmp_path, str(path)) as visitor:
        said = f"these settings are changed in <code>{path}</code>"
        listed = await visitor.get("/destinations")
        assert said in listed.text
        assert "Add a" not in listed.text
        assert "hx-post" not in listed.text
        shown_page = await visitor.get("/destinations/web/1")
        assert said in shown_page.text
        assert "set; it is shown to nobody" in shown_page.text
        assert shown(KEYS[0]) in shown_page.text
        assert "&lt;b&gt;" in shown_page.text
        assert re.findall(r'hx-post="([^"]+)"', shown_page.text) == ["/destinations/check"]
        assert (await visitor.get("/destinations/add")).status == 400
        fields = {"at": "destination", "source": "web", "version": "1", "place": "1", "wire": "json"}
        for action in ("save", "faults", "write-keys", "switch", "remove"):
            refused = await visitor.post(f"/destinations/{action}", fields)
            assert refused.status == 422
            assert f"the settings are changed in {path}" in refused.text
        assert SECRETS[0] in path.read_text()
        visitor.assert_no_secret()
