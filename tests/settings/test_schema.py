import pytest

from headgate.errors import SettingsError
from headgate.settings.schema import Source, Sources
from headgate.settings.strict_toml import decode

SOURCE = """\
[[sources]]
id = "src"
write_keys = ["wk"]
allowed_origins = [{origin}]

[[sources.destinations]]
stream_name = "events"
"""


def read(origin: str) -> Source:
    return decode(SOURCE.format(origin=origin), Sources, where="sources.toml").sources[0]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://www.example.com",
        "http://localhost:3000",
        "https://*.example.com",
        "https://*.example.com:8443",
        "https://[::1]:8443",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "https://xn--bcher-kva.example",
    ],
)
def test_an_origin_is_as_browsers_write_it(origin: str) -> None:
    assert read(f'"{origin}"').allowed_origins == (origin,)


def test_no_origin_at_all_is_a_source_for_servers_alone() -> None:
    assert read("").allowed_origins == ()


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "www.example.com",
        "https://www.example.com/",
        "https://www.example.com/path",
        "https://WWW.example.com",
        "https://www.example.com:443",
        "http://www.example.com:80",
        "https://",
        "https://*",
        "https://*.",
        "https://www.*.com",
        "https://*.*.com",
        "*.example.com",
        "https://user@www.example.com",
        "https://a b",
        "https://b\u00fccher.example",
    ],
)
def test_what_would_match_nothing_is_refused_by_name(origin: str) -> None:
    with pytest.raises(SettingsError, match="allowed_origins has") as refused:
        read(f'"{origin}"')
    assert repr(origin) in str(refused.value)
    assert "src" in str(refused.value)
    assert "allowed: '*', https://*.example.com" in str(refused.value)
