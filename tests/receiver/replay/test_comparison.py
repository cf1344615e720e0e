"""A comparison says what changed, where, and how often."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.replay.comparison import Comparison, differences
from shared.result_index import ResultIndex
from tests.recordings import make_frames, result_of


def found(old: Any, new: Any, tolerance: float = 0.0, *ignore: str) -> list[str]:
    return list(differences(old, new, tolerance=tolerance, ignore=ignore))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": [{"b": 0.91}]}, {"a": [{"b": 0.87}]}, ["a[0].b: 0.91 → 0.87"]),
        ({"a": 1}, {"b": 1}, ["a: 1 → nothing", "b: nothing → 1"]),
        ({"a": None}, {}, ["a: null → nothing"]),
        ([1, 2], [1], ["result: 2 items → 1 item"]),
        ({"a": [1, 2]}, {"a": [3]}, ["a: 2 items → 1 item", "a[0]: 1 → 3"]),
        (True, 1, ["result: true → 1"]),
        ("x", ["x"], ['result: "x" → ["x"]']),
        (None, 0, ["result: null → 0"]),
        ("é" * 99, "", ["result: " + '"' + "é" * 56 + '... → ""']),
    ],
)
def test_differences_are_told_by_their_places(old: Any, new: Any, said: list[str]) -> None:
    assert found(old, new) == said


def test_a_tolerance_is_absolute_below_1_and_a_share_above() -> None:
    assert found([0.50, 500], [0.51, 505], 0.011) == []
    assert len(found([0.50, 500], [0.52, 520], 0.011)) == 2


def test_places_can_be_left_out_with_all_that_is_in_them() -> None:
    old = {"objects": [{"track": 1, "box": [1]}], "age": 3, "deep": {"x": [1]}}
    new = {"objects": [{"track": 2, "box": [1]}], "deep": {"x": [2]}}

    assert found(old, new, 0.0, "objects[].track", "age", "deep") == []
    assert len(found(old, new)) == 3


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.jsonl"
    results = [result_of(frame, frame.seq) for frame in make_frames(10)]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in results))
    return path


def test_the_counts_and_the_list_are_those_of_the_frames(old: Path) -> None:
    comparison = Comparison(ResultIndex(old), most=2)

    for frame in make_frames(8, first=4):
        comparison.add(result_of(frame, -1 if frame.seq in (5, 7, 9) else frame.seq))

    assert (comparison.same, comparison.changed, comparison.only_new) == (3, 3, 2)
    assert comparison.listed == ["cam1 e1/5  result: 5 → -1", "cam1 e1/7  result: 7 → -1"]
    assert comparison.only_old(whole=True) == 4


def test_of_a_part_only_what_lies_in_it_counts_as_gone(old: Path) -> None:
    comparison = Comparison(ResultIndex(old))
    frames = make_frames(10)

    for frame in (frames[4], frames[6]):
        comparison.add(result_of(frame, frame.seq))

    assert comparison.only_old(whole=False) == 1
    assert comparison.only_old(whole=True) == 8


def test_a_failure_is_compared_without_the_line_that_moves(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    frames = make_frames(3)
    failed = {"state": "failed", "result": None}
    lines = [result_of(f, None, **{**failed, "error": "KeyError: 'x' (my.py:7)"}) for f in frames]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    comparison = Comparison(ResultIndex(path))

    comparison.add(lines[0] | {"error": "KeyError: 'x' (my.py:9)"})
    comparison.add(lines[1] | {"error": "KeyError: 'y' (my.py:7)"})
    comparison.add(lines[2] | {"state": "processed", "error": None, "result": 1})

    assert (comparison.same, comparison.changed) == (1, 2)
    assert comparison.listed == [
        "cam1 e1/1  error: \"KeyError: 'x'\" → \"KeyError: 'y'\"",
        "cam1 e1/2  state: failed → processed",
        "cam1 e1/2  error: \"KeyError: 'x'\" → null",
    ]
