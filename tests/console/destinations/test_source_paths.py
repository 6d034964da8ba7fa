"""Source IDs in paths and forms."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match, Route

from headgate.console.destinations.source_paths import decoded, encoded, path_of

IDS = st.one_of(
    st.text(min_size=1, max_size=256),
    st.text("./;%\\ \n\r?#&0", min_size=1, max_size=12),
    st.sampled_from([".", "..", ".;", "..;;", "a/1", "1/2/3", "/", "../x", "x/history"]),
)
ROUTE = Route("/destinations/{source:source}/{place:place}", lambda _: None)


@given(IDS, st.integers(1, 10**6))
def test_any_source_id_comes_back_from_a_path(source_id: str, place: int) -> None:
    path = path_of(source_id, place)
    assert path.isascii()
    assert path.count("/") == 3
    matched, scope = ROUTE.matches({"type": "http", "method": "GET", "path": unquote(path)})
    assert matched is Match.FULL
    assert scope["path_params"] == {"source": source_id, "place": place}
    assert decoded(encoded(source_id)) == source_id


@pytest.mark.parametrize("source_id", [".", ".."])
def test_no_browser_takes_a_source_id_for_the_way_up(source_id: str) -> None:
    assert unquote(encoded(source_id)) not in (".", "..")
