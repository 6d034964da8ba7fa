import pytest

from headgate.ingest.clients import client_ip, peer_address

PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded_for", "hops", "ip"),
    [
        (b"203.0.113.7", 0, PEER),
        (b"203.0.113.7", 1, "203.0.113.7"),
        (b"1.1.1.1, 203.0.113.7", 1, "203.0.113.7"),
        (b"1.1.1.1,203.0.113.7 ,10.0.0.2", 2, "203.0.113.7"),
        (b"203.0.113.7", 2, PEER),
        (None, 1, PEER),
        (b"", 1, PEER),
        (b"203.0.113.7,", 1, PEER),
        (b"unknown", 1, PEER),
        (b"203.0.113.7.9", 1, PEER),
        (b"\xff", 1, PEER),
        (b"203.0.113.7:4711", 1, "203.0.113.7"),
        (b"2001:DB8::1", 1, "2001:db8::1"),
        (b"[2001:db8::1]:4711", 1, "2001:db8::1"),
        (b"[2001:db8::1]", 1, "2001:db8::1"),
        (b"::ffff:203.0.113.7", 1, "203.0.113.7"),
        (b'fe80::1%"x', 1, PEER),
    ],
)
def test_the_client_is_what_our_outermost_proxy_saw_and_nothing_further_left(
    forwarded_for: bytes | None, hops: int, ip: str
) -> None:
    assert client_ip(PEER, forwarded_for, hops) == ip


@pytest.mark.parametrize(
    ("peername", "ip"),
    [
        (("203.0.113.7", 1), "203.0.113.7"),
        (("::ffff:203.0.113.7", 1, 0, 0), "203.0.113.7"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1"),
        ("", ""),
        (None, ""),
        (("path", 1), ""),
    ],
)
def test_the_peer_is_its_address_as_people_write_it(peername: object, ip: str) -> None:
    assert peer_address(peername) == ip
