import pytest
from msgspec.structs import replace

from headgate.errors import SettingsError
from headgate.settings.table.layout import (
    HISTORY,
    SOURCE,
    VERSION,
    WRITE_KEY,
    Kept,
    Seen,
    history_place,
    kept_in,
)
from headgate.settings.table.stored import StoredDestination, StoredSource
from headgate.settings.table.transactions import (
    ITEM_BYTES,
    TRANSACTION_ITEMS,
    Change,
    Signature,
    Step,
    batches,
    transaction,
)
from headgate.settings.write_keys import hashed

ME = Signature(who="arn:me", at="2026-01-02T03:04:05Z", expires=1_800_000_000, nonce="n")
SEEN = Seen(6, "before")


def source(name: str, *keys: str) -> StoredSource:
    destination = StoredDestination(stream_name="events")
    return StoredSource(id=name, write_keys=tuple(map(hashed, keys)), destinations=(destination,))


def kept(source: StoredSource, number: int = 5) -> Kept:
    return Kept(source, number, ME.at, ME.who)


def steps(*changes: Change, seen: Seen | None = SEEN) -> dict[tuple[str, str], Step]:
    return {(step.kind, step.name): step for step in transaction("table", changes, seen, ME)}


def item(step: Step) -> dict[str, object]:
    [(_, request)] = step.request.items()
    values: dict[str, object] = request.get("Item") or request["Key"]
    return values


def condition(step: Step) -> dict[str, object] | None:
    [(_, request)] = step.request.items()
    if request["ConditionExpression"] == "attribute_not_exists(pk)":
        return None
    named = request["ExpressionAttributeNames"].values()
    return dict(zip(named, request["ExpressionAttributeValues"].values(), strict=True))


def test_a_change_advances_the_version_and_is_signed_in_the_history() -> None:
    web = source("web", "a")
    made = steps(Change(kept(web), replace(web, enabled=False)))
    assert made.keys() == {(VERSION, VERSION), (SOURCE, "web"), (HISTORY, history_place(7))}
    version = made[VERSION, VERSION]
    assert item(version)["number"] == {"N": "7"}
    assert condition(version) == {"number": {"N": "6"}, "nonce": {"S": "before"}}
    assert condition(made[SOURCE, "web"]) == {"number": {"N": "5"}}
    entry = item(made[HISTORY, history_place(7)])
    assert entry["expires"] == {"N": "1800000000"}
    assert entry["changed_by"] == {"S": "arn:me"}
    assert '"field":"enabled"' in str(entry["changes"])


def test_the_first_change_of_all_is_made_only_in_an_empty_table() -> None:
    made = steps(Change(None, source("web", "a")), seen=None)
    assert item(made[VERSION, VERSION])["number"] == {"N": "1"}
    assert {condition(step) is None for step in made.values()} == {True}


def test_a_source_is_read_as_it_was_written() -> None:
    web = source("web", "a")
    made = item(steps(Change(None, web))[SOURCE, "web"])
    assert kept_in(made, where="t") == Kept(web, 7, ME.at, ME.who)


def test_each_write_key_is_kept_to_one_source() -> None:
    made = steps(
        Change(kept(source("a", "k1", "k2")), source("a", "k3")),
        Change(kept(source("b", "k4")), source("b", "k4", "k2")),
        Change(kept(source("c", "k5")), None),
    )
    of = {name: step for (kind, name), step in made.items() if kind == WRITE_KEY}
    assert of.keys() == {hashed(key) for key in ("k1", "k2", "k3", "k5")}
    assert "Delete" in of[hashed("k1")].request
    assert condition(of[hashed("k1")]) == {"source": {"S": "a"}}
    assert item(of[hashed("k2")])["source"] == {"S": "b"}
    assert condition(of[hashed("k2")]) == {"source": {"S": "a"}}
    assert condition(of[hashed("k3")]) is None
    assert condition(of[hashed("k5")]) == {"source": {"S": "c"}}
    assert "Delete" in made[SOURCE, "c"].request


def test_sources_between_which_a_write_key_goes_are_changed_together() -> None:
    others = [Change(None, source(f"n{number}", f"n{number}")) for number in range(60)]
    moved = [Change(kept(source("a", "k", "x")), source("a", "x")), Change(None, source("b", "k"))]
    found = batches([moved[1], *others, moved[0]])
    assert len(found) > 1
    assert [batch for batch in found if moved[0] in batch] == [batch for batch in found if moved[1] in batch]
    assert sum(map(len, found)) == 62
    for batch in found:
        assert len(transaction("table", batch, SEEN, ME)) <= TRANSACTION_ITEMS


def test_more_write_keys_than_a_transaction_takes_are_refused_and_the_limit_is_named() -> None:
    many = [f"k{number}" for number in range(98)]
    assert len(steps(Change(None, source("web", *many[:97])))) == TRANSACTION_ITEMS
    with pytest.raises(
        SettingsError, match=r"write_keys of 'web': changing 98 .*TransactWriteItems takes 100"
    ):
        steps(Change(None, source("web", *many)))


def test_a_source_larger_than_an_item_is_refused_and_the_limit_is_named() -> None:
    for text in ("x" * ITEM_BYTES, "ä" * (ITEM_BYTES // 2)):
        with pytest.raises(SettingsError, match=r"the source 'web' has 409,\d+ bytes; allowed: 409,600"):
            steps(Change(None, replace(source("web", "a"), name=text)))
    text = "x" * (ITEM_BYTES // 2)
    was = replace(source("web", "a"), name=text)
    with pytest.raises(SettingsError, match="the change of the source 'web' has"):
        steps(Change(kept(was), replace(was, name=text[1:] + "y")))
