"""Where a spilled record goes: to where it was bound for, under the External ID of today's settings."""

from headgate.delivery.target import Target
from headgate.overflow.origin import Origin, origin_of, resolve
from headgate.settings.schema import Destination, Source
from headgate.settings.targets import every_target

ROLE = "arn:aws:iam::111122223333:role/writer"
SOURCE = Source(
    id="src",
    write_keys=("wk",),
    destinations=(
        Destination(stream_name="one", role_address=ROLE, secret_id="a-secret-id", max_record_kib=2048),
        Destination(stream_name="two", enabled=False, wire="json"),
    ),
)
ONE = Target("src", "us-west-2", "one", ROLE, "a-secret-id", max_record_kib=2048)
TWO = Target("src", "us-west-2", "two", None, "src", wire="json")


def test_every_destination_has_a_target_also_a_disabled_one() -> None:
    assert every_target([SOURCE]) == {ONE, TWO}


def test_a_destination_of_the_settings_is_found_with_all_that_they_say() -> None:
    assert resolve(origin_of(ONE), {ONE, TWO}) is ONE
    assert resolve(origin_of(TWO), {ONE, TWO}) is TWO


def test_later_settings_do_not_redirect_and_the_roles_external_id_is_that_of_today() -> None:
    moved = Origin(source_id="src", region="eu-west-1", stream_name="before", role_address=ROLE)
    assert resolve(moved, {ONE, TWO}) == Target("src", "eu-west-1", "before", ROLE, "a-secret-id")


def test_without_settings_for_it_the_external_id_is_the_source_id() -> None:
    for other in (
        Origin(source_id="gone", region="us-west-2", stream_name="one", role_address=ROLE),
        Origin(source_id="src", region="us-west-2", stream_name="one", role_address=ROLE + "2"),
    ):
        assert resolve(other, {ONE, TWO}).external_id == other.source_id
