"""A table as the forwarder reads it: whole at first, then what changed, and always of one version."""

import json
from typing import Any

import boto3
import botocore.session
import pytest
from moto.core import set_initial_no_auth_action_count

from headgate.errors import AwsError, SettingsError, UsageError
from headgate.settings.locate import store_at
from headgate.settings.store import first_of
from headgate.settings.table import store as module
from headgate.settings.table.client import SettingsTable
from headgate.settings.table.layout import Seen, key
from headgate.settings.table.store import TableStore
from headgate.settings.write_keys import hashed
from tests.settings.table.in_moto import NAME, REGION, ROLE, World, calls_of, ids, make_table


def read(store: TableStore) -> dict[str, Any]:
    return store.latest().sources()


def test_a_table_has_no_sources_before_its_first_change_and_that_is_valid(world: World) -> None:
    store = world.store()
    first = first_of(store)
    assert first is not None
    assert (first.stamp, first.sources()) == (store.latest().stamp, {})
    world.set("web", "write_keys=wk_1", destination="events")
    assert store.latest().stamp != first.stamp
    assert list(read(store)) == [hashed("wk_1")]
    world.remove("web")
    assert read(store) == {}


def test_the_stamp_changes_with_every_change_and_with_nothing_else(world: World) -> None:
    store = world.store()
    world.set("web", "write_keys=wk_1", destination="events")
    first = store.latest().stamp
    assert store.latest().stamp == first
    world.set("web", "name=Web")
    assert store.latest().stamp != first


def test_what_did_not_change_is_neither_read_nor_decrypted_nor_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        world.set(
            name, f"write_keys={name}", f"role_address={ROLE}", destination="events", secret_id=f"s-{name}"
        )
    store = world.store()
    before = read(store)
    assert before[hashed("a")].destinations[0].secret_id == "s-a"
    called = calls_of(monkeypatch)
    assert read(store).keys() == before.keys()
    assert called == ["get_item", "get_item"]
    world.set("b", "enabled=false")
    world.remove("c")
    called.clear()
    after = read(store)
    assert called == ["get_item", "query", "batch_get_item", "get_item"]
    assert ids(after) == ["a", "b"]
    assert after[hashed("a")] is before[hashed("a")]
    assert (after[hashed("b")].enabled, after[hashed("b")].destinations[0].secret_id) == (False, "s-b")


def test_where_the_history_has_a_gap_all_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.set("a", "write_keys=a", destination="events")
    store = world.store()
    read(store)
    world.set("b", "write_keys=b", destination="events")
    world.set("a", "name=A")
    [forgotten] = world.table.history("b")
    place = f"{forgotten.number:015d}.000"
    world.dynamodb.delete_item(TableName=NAME, Key=key("history", place))
    assert ids(read(store)) == ["a", "b"]
    monkeypatch.setattr(module, "MOST_CHANGES", 1)
    world.set("b", "name=B")
    world.set("c", "write_keys=c", destination="events")
    assert ids(read(store)) == ["a", "b", "c"]


def test_what_is_read_is_of_one_version_however_much_changes_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write key goes from one source to another, and back, while all is read: it is never of both."""
    world.set("a", "write_keys=a,moving", destination="events")
    world.set("b", "write_keys=b", destination="events")
    store, moves = world.store(), iter(["a b", "b a", "a b"])
    sources = SettingsTable.sources
    some = SettingsTable.some_sources

    def move() -> None:
        if pair := next(moves, None):
            giver, taker = pair.split()
            world.set(giver, "write_keys-=moving")
            world.set(taker, "write_keys+=moving")

    def slow(self: SettingsTable, *rest: Any) -> Any:
        for each in (some if rest else sources)(self, *rest):
            yield each
            move()

    monkeypatch.setattr(SettingsTable, "sources", slow)
    monkeypatch.setattr(SettingsTable, "some_sources", slow)
    found = read(store)
    assert next(moves, None) is None
    assert {name: source.id for name, source in found.items()} == {
        hashed("a"): "a",
        hashed("b"): "b",
        hashed("moving"): "b",
    }


def test_a_table_that_never_stands_still_is_a_fault_that_may_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set("a", "write_keys=a", destination="events")
    store = world.store()
    asked = 0
    version = SettingsTable.version

    def changing(self: SettingsTable) -> Seen | None:
        nonlocal asked
        asked += 1
        found = version(self)
        return found and Seen(found.number + asked, "other")

    monkeypatch.setattr(SettingsTable, "version", changing)
    latest = store.latest()
    with pytest.raises(AwsError, match="it changes faster than it can be read"):
        latest.sources()
    assert asked > 10
    monkeypatch.setattr(SettingsTable, "version", version)
    assert ids(read(store)) == ["a"]


def test_an_item_that_is_not_valid_is_named_and_what_comes_after_it_is_read(world: World) -> None:
    for name in ("a", "b"):
        world.set(name, f"write_keys={name}", destination="events")
    store = world.store()
    read(store)
    world.set("a", "name=A")
    broken = world.dynamodb.get_item(TableName=NAME, Key=key("source", "a"))["Item"]
    wrong = broken | {"settings": {"S": broken["settings"]["S"].replace('"events"', '"no stream"')}}
    world.dynamodb.put_item(TableName=NAME, Item=wrong)
    with pytest.raises(SettingsError) as refused:
        read(store)
    where = f"dynamodb://{NAME}: the source 'a': destinations[1] ('no stream'): "
    assert str(refused.value).startswith(where + "stream_name is 'no stream'; allowed: ")
    world.dynamodb.put_item(TableName=NAME, Item=broken)
    world.set("b", "name=B")
    assert {source.id: source.name for source in read(store).values()} == {"a": "A", "b": "B"}


def test_two_sources_of_one_write_key_are_refused_however_they_came_about(world: World) -> None:
    for name in ("a", "b"):
        world.set(name, f"write_keys={name}", destination="events")
    item = world.dynamodb.get_item(TableName=NAME, Key=key("source", "b"))["Item"]
    item["settings"]["S"] = item["settings"]["S"].replace(hashed("b"), hashed("a"))
    world.dynamodb.put_item(TableName=NAME, Item=item)
    with pytest.raises(SettingsError, match=f"dynamodb://{NAME}: the sources 'a' and 'b' share a write key"):
        read(world.store())


def test_a_secret_id_that_may_not_be_decrypted_is_a_fault_that_may_pass(world: World) -> None:
    fields = ("write_keys=a", f"role_address={ROLE}")
    world.set("a", *fields, destination="events", secret_id="hunter2")
    store = world.store()
    item = world.dynamodb.get_item(TableName=NAME, Key=key("source", "a"))["Item"]
    copied = json.loads(item["settings"]["S"]) | {"id": "thief", "write_keys": [hashed("t")]}
    stolen = item | {"sk": {"S": "thief"}, "settings": {"S": json.dumps(copied)}}
    world.dynamodb.put_item(TableName=NAME, Item=stolen)
    with pytest.raises(
        AwsError, match="the Secret ID of the source 'thief' for 'events' cannot be decrypted"
    ):
        read(store)
    world.dynamodb.delete_item(TableName=NAME, Key=key("source", "thief"))
    assert read(store)[hashed("a")].destinations[0].secret_id == "hunter2"


def test_a_table_that_is_gone_or_emptied_is_a_fault_and_one_that_is_restored_is_read_whole(
    world: World,
) -> None:
    for name in ("a", "b"):
        world.set(name, f"write_keys={name}", destination="events")
    store = world.store()
    before = store.latest()
    assert ids(before.sources()) == ["a", "b"]
    items = world.dynamodb.scan(TableName=NAME)["Items"]
    world.dynamodb.delete_item(TableName=NAME, Key=key("version", "version"))
    with pytest.raises(AwsError, match="it has no version any more"):
        store.latest()
    world.dynamodb.delete_table(TableName=NAME)
    with pytest.raises(AwsError, match=f"dynamodb://{NAME}: ResourceNotFoundException: "):
        store.latest()
    make_table(world.dynamodb, world.key_arn, NAME)
    for item in items:  # as it was before b
        if item["sk"]["S"] != "b" and not item["sk"]["S"].startswith(f"{2:015d}"):
            version = {"number": {"N": "1"}, "nonce": {"S": "older"}} if item["pk"]["S"] == "version" else {}
            world.dynamodb.put_item(TableName=NAME, Item=item | version)
    world.set("c", "write_keys=c", destination="events")
    after = store.latest()
    assert after.stamp.number == before.stamp.number  # type: ignore[attr-defined]
    assert after.stamp != before.stamp
    assert ids(after.sources()) == ["a", "c"]


@pytest.mark.parametrize(
    "at", ["dynamodb://", "dynamodb://a b", "dynamodb://ab", "dynamodb://arn:aws:s3:::b"]
)
def test_what_is_no_table_is_refused_before_anything_is_asked(world: World, at: str) -> None:
    with pytest.raises(UsageError, match="names no table; allowed after dynamodb://"):
        store_at(at, botocore.session.get_session())


def test_a_table_is_found_by_its_arn_wherever_the_process_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set("a", "write_keys=a", destination="events")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    at = store_at(
        f"dynamodb://arn:aws:dynamodb:{REGION}:123456789012:table/{NAME}", botocore.session.get_session()
    )
    assert ids(at.latest().sources()) == ["a"]


def test_what_is_asked_is_all_that_the_reader_needs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.set("a", "write_keys=a", f"role_address={ROLE}", destination="events", secret_id="hunter2")
    iam = boto3.client("iam")
    iam.create_user(UserName="task")
    access = iam.create_access_key(UserName="task")["AccessKey"]
    actions = [f"dynamodb:{each}" for each in ("GetItem", "Query", "BatchGetItem")] + ["kms:Decrypt"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access["SecretAccessKey"])
    as_root, as_task = set_initial_no_auth_action_count(10_000), set_initial_no_auth_action_count(0)

    def read_with(*allowed: str) -> list[str]:
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        as_root(iam.put_user_policy)(UserName="task", PolicyName="task", PolicyDocument=policy)
        return ids(as_task(lambda: read(TableStore(botocore.session.get_session(), NAME)))())

    with pytest.raises(AwsError, match=r"cannot be decrypted: .*not authorized to perform: kms:Decrypt"):
        read_with(*actions[:3])
    assert read_with(*actions) == ["a"]
