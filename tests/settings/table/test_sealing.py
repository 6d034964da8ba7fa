from base64 import b64decode, b64encode

import msgspec
import pytest

from headgate.errors import AwsError, SettingsError
from headgate.settings.table.sealing import Sealing
from headgate.settings.table.stored import StoredDestination, StoredSource
from tests.settings.table.in_moto import REGION, ROLE, World, calls_of


def sealing(world: World) -> Sealing:
    return Sealing(world.session, REGION, about="the table")


def encrypted(world: World, *what: str) -> str:
    return world.sealing.encrypting(lambda: world.key_arn)(*what)


def test_what_is_encrypted_for_a_source_and_a_stream_is_decrypted_for_them_alone(world: World) -> None:
    sealed = encrypted(world, "hunter2", "web", "events")
    assert b"hunter2" not in b64decode(sealed)
    ours = sealing(world)
    assert ours.decrypt(sealed, "web", "events") == "hunter2"
    for other in (("app", "events"), ("web", "others")):
        with pytest.raises(
            AwsError, match=f"the Secret ID of the source '{other[0]}' for '{other[1]}' cannot"
        ):
            ours.decrypt(sealed, *other)


def test_kms_is_asked_once_for_each_and_what_no_source_has_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [
        StoredSource(
            id=name,
            write_keys=("k",),
            destinations=(
                StoredDestination(
                    stream_name="events",
                    role_address=ROLE,
                    encrypted_secret_id=encrypted(world, f"secret-of-{name}", name, "events"),
                ),
            ),
        )
        for name in map(str, range(40))
    ]
    ours, called = sealing(world), calls_of(monkeypatch)
    for _ in range(2):
        ours.learn(sources)
    assert called == ["decrypt"] * 40
    secrets = [
        ours.decrypt(each.destinations[0].encrypted_secret_id or "", each.id, "events") for each in sources
    ]
    assert secrets == [f"secret-of-{number}" for number in range(40)]
    assert len(called) == 40
    ours.keep(sources[:10])
    ours.learn(sources)
    assert len(called) == 70


def test_what_cannot_be_decrypted_is_named_and_shows_nothing(world: World) -> None:
    ours = sealing(world)
    with pytest.raises(
        SettingsError, match="the table: the Secret ID of the source 'web' for 'e' is no base64"
    ):
        ours.decrypt("hunter2!", "web", "e")
    with pytest.raises(
        AwsError, match="the table: the Secret ID of the source 'web' for 'e' cannot be decrypted"
    ):
        ours.decrypt(b64encode(b"x" * 100).decode(), "web", "e")
    sealed = encrypted(world, "hunter2", "web", "e")
    source = StoredSource(
        id="web",
        write_keys=("k",),
        destinations=(StoredDestination(stream_name="e", role_address=ROLE, encrypted_secret_id=sealed),),
    )
    others = msgspec.structs.replace(source, id="others")
    with pytest.raises(AwsError, match="the source 'others' for 'e' cannot be decrypted"):
        ours.learn([source, others])
    assert ours.decrypt(sealed, "web", "e") == "hunter2"


def test_the_key_is_asked_for_only_where_there_is_something_to_encrypt(world: World) -> None:
    def nobody() -> str:
        raise AssertionError

    sealing(world).encrypting(nobody)
