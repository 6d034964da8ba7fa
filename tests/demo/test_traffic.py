"""The demo's traffic: what is sent is all that the Spec has, and as much as is promised."""

import json
from itertools import islice
from random import Random

import pytest

from demo.traffic import EVENTS_PER_SECOND, PEOPLE, page_saved, rate, shop_app, website


def test_both_sources_together_make_all_six_calls_of_several_people_and_events() -> None:
    calls = [*islice(website(Random(1)), 400), *islice(shop_app(Random(1)), 400)]
    assert {each.type for each in calls} == {"alias", "group", "identify", "page", "screen", "track"}
    assert {each.who for each in calls} == {each.user_id for each in PEOPLE}
    named = {each.arguments["event"] for each in calls if each.type == "track"}
    assert named == {"Product Viewed", "Product Added", "Checkout Started", "Order Completed"}


def test_the_rate_is_steady_with_gentle_waves() -> None:
    rates = [rate(second) for second in range(450)]
    assert sum(rates) / len(rates) == pytest.approx(EVENTS_PER_SECOND, rel=0.01)
    assert min(rates) > EVENTS_PER_SECOND / 2
    assert max(rates) < 2 * EVENTS_PER_SECOND


def test_a_saved_page_is_as_large_as_is_asked_for() -> None:
    assert len(json.dumps(page_saved(5_000))) == 5_000
