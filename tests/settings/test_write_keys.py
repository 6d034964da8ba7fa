import hashlib

import pytest

from headgate.errors import SettingsError
from headgate.settings.schema import Sources, by_write_key
from headgate.settings.strict_toml import decode
from headgate.settings.write_keys import hash_of, hashed, is_hashed, means, shown

HASH = "sha256:" + hashlib.sha256(b"wk_1").hexdigest()


def read(*sources: tuple[str, str]) -> Sources:
    text = "".join(
        f'[[sources]]\nid = "{name}"\nwrite_keys = ["{key}"]\n[[sources.destinations]]\nstream_name = "e"\n'
        for name, key in sources
    )
    return decode(text, Sources, where="sources.toml")


def test_a_hash_is_sha_256_of_the_key_with_its_name_before_it() -> None:
    assert hashed("wk_1") == hashed(HASH) == hash_of("wk_1") == HASH
    assert is_hashed(HASH)
    assert not is_hashed("wk_1")
    assert shown("wk_1") == shown(HASH) == HASH[:15]


def test_a_hash_that_a_client_sends_is_hashed_as_any_key() -> None:
    assert hash_of(HASH) not in (HASH, "wk_1")


def test_a_key_is_meant_by_itself_its_hash_and_the_beginning_of_that() -> None:
    for key in ("wk_1", HASH):
        assert means("wk_1", key)
        assert means(HASH, key)
        assert means(HASH[:15], key)
        assert not means("wk_2", key)
        assert not means(HASH[:14], key)


def test_settings_hold_either_form() -> None:
    assert list(by_write_key(read(("a", HASH)).sources)) == [HASH]


@pytest.mark.parametrize("key", ["sha256:", "sha256:abc", HASH + "0", HASH.upper().replace("SHA", "sha")])
def test_half_a_hash_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError, match="begins with sha256: and is no hash") as refused:
        read(("a", key))
    assert key[7:] == "" or key not in str(refused.value)


def test_a_key_and_its_hash_are_one_key() -> None:
    with pytest.raises(SettingsError, match="the sources 'a' and 'b' share a write key"):
        read(("a", "wk_1"), ("b", HASH))
