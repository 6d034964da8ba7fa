"""What settings alone tell."""

import pytest

from headgate.checking.answers import RegionKnown
from headgate.checking.places import region, sent_id, settings
from headgate.settings.schema import Destination, Source

ROLE = "arn:aws:iam::111122223333:role/writer"
SECRET = "kF9-a-secret"


def destination(**more: object) -> Destination:
    return Destination(stream_name="events", **more)  # type: ignore[arg-type]


def source(destination: Destination, id_: str = "8kf3Qw2LpZ", *, enabled: bool = True) -> Source:
    return Source(id=id_, write_keys=("wk_1",), enabled=enabled, destinations=(destination,))


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (destination(), "own credentials write"),
        (destination(role_address=ROLE), "the source ID is sent as the External ID"),
        (destination(role_address=ROLE, secret_id=SECRET), "the Secret ID (secret_id) is sent"),
        (destination(enabled=False), "the destination is not enabled, so nothing is delivered"),
    ],
)
def test_what_is_sent_is_said_without_its_text(of: Destination, said: str) -> None:
    outcome = settings(source(of), of)
    assert outcome.state == "ok"
    assert said in outcome.detail
    assert SECRET not in outcome.detail + sent_id(of)


def test_a_source_that_is_not_enabled_is_said() -> None:
    of = destination()
    assert "the source is not enabled" in settings(source(of, enabled=False), of).detail


def test_a_source_id_that_cannot_be_an_external_id_is_wrong_where_it_is_sent_as_one() -> None:
    sent = destination(role_address=ROLE)
    assert settings(source(sent, "our website"), sent).state == "failed"
    for not_sent in (destination(), destination(role_address=ROLE, secret_id=SECRET)):
        assert settings(source(not_sent, "our website"), not_sent).state == "ok"


@pytest.mark.parametrize(
    ("role", "known", "state", "said"),
    [
        (ROLE, RegionKnown("aws", listed=True), "ok", "partition aws"),
        (None, RegionKnown("aws-cn", listed=True), "ok", "partition aws-cn"),
        (ROLE, RegionKnown("aws-cn", listed=True), "failed", "partition aws, and us-west-2 is in aws-cn"),
        (ROLE, RegionKnown(None, listed=False, near=("us-west-2",)), "failed", "did you mean us-west-2?"),
        (None, RegionKnown("aws", listed=False, resolves=False), "failed", "no address"),
        (None, RegionKnown("aws", listed=False, resolves=True), "unknown", "does not list"),
        (None, RegionKnown("aws", listed=False, near=("us-east-1",), resolves=None), "unknown", "us-east-1"),
    ],
)
def test_a_region_is_wrong_only_where_that_is_certain(
    role: str | None, known: RegionKnown, state: str, said: str
) -> None:
    outcome = region(destination(role_address=role), known)
    assert outcome.state == state
    assert said in outcome.line
