from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from receiver.view.wall_query import WallQuery, read_wall_query
from shared.view.query import Query, QueryError
from shared.view.renditions import Wish


def read(*pairs: tuple[str, str]) -> WallQuery:
    return read_wall_query(MultiDict(pairs))


def test_without_a_word_every_camera_is_shown_as_it_came() -> None:
    query = read()

    assert query.of("any") == [Query()]
    assert not query.results


def test_wishes_hold_for_all() -> None:
    query = read(("width", "320"), ("fps", "5"), ("view", "annotated"), ("results", "1"))

    assert query.of("any") == [Query("annotated", Wish(width=320), 5.0)]
    assert query.results


def test_a_camera_that_is_named_may_have_wishes_of_its_own() -> None:
    query = read(
        ("width", "320"),
        ("show", "cam1"),
        ("show", "cam2;view=raw;width=1280;fps=25"),
        ("fps", "5"),
    )

    assert query.of("cam1") == [Query("raw", Wish(width=320), 5.0)]
    assert query.of("cam2") == [Query("raw", Wish(width=1280), 25.0)]
    assert query.of("cam3") == []


def test_a_camera_may_be_shown_in_both_views() -> None:
    query = read(("show", "cam1;view=raw"), ("show", "cam1;view=annotated"))

    assert [one.view for one in query.of("cam1")] == ["raw", "annotated"]


def test_nobody_may_be_shown() -> None:
    assert read(("show", "")).of("cam1") == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("results", "yes", "results: expected 0 or 1, got 'yes'"),
        ("width", "wide", "width: expected a whole number from 1 to"),
        ("show", "cam1;width=wide", "show: width: expected a whole number from 1 to"),
        ("show", "cam1;colour=red", "show: expected CAMERA;NAME=VALUE with the names view,"),
        ("show", "a b", "show: camera: expected 1 to 64 letters"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        read((name, value))


def test_so_many_wishes_and_no_more() -> None:
    with pytest.raises(QueryError, match="show: expected at most 512 of them, got 513"):
        read(*[("show", "cam1")] * 513)
