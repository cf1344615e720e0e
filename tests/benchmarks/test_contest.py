from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tqdm import tqdm

from benchmarks.measuring.contest import Chain, Turn, contest, figures, turn_of
from benchmarks.measuring.program import Program
from benchmarks.measuring.sink import Note, Sink, read_notes
from shared import pattern


def note(number: int, *, seen: float = 10.0, latency: float = 0.5) -> Note:
    return Note(True, number, seen - latency, seen)


def turn(*numbers: int, seconds: float = 2.0, cpu: float = 1.0) -> Turn:
    notes = [note(number) for number in numbers]
    return turn_of(notes, seconds, cpu={"sender": cpu}, memory={"sender": 5_000_000})


def test_a_picture_counts_once_however_often_it_arrives() -> None:
    found = turn(4, 5, 5, 4, 6)

    assert (found.frames, found.repeated, found.missing) == (3, 2, 0)
    assert found.fps == 1.5


def test_the_latency_of_a_repeated_picture_is_that_of_its_first_arrival() -> None:
    notes = [note(1, latency=0.25), note(1, latency=3.0)]

    assert turn_of(notes, 1.0, cpu={}, memory={}).latencies == (0.25,)


def test_pictures_between_the_first_and_the_last_that_never_came_are_missing() -> None:
    assert turn(10, 12, 15).missing == 3


def test_a_picture_that_cannot_be_read_is_no_frame() -> None:
    notes = [Note(False, 0, 0.0, 10.0), note(3)]

    found = turn_of(notes, 1.0, cpu={}, memory={})

    assert (found.frames, found.illegible, found.latencies) == (1, 1, (0.5,))


def test_nothing_that_arrived_is_no_frame_and_no_error() -> None:
    row = figures([turn_of([], 1.0, cpu={"sender": 0.1}, memory={"sender": 1})])

    assert (row["fps"], row["p99_ms"], row["missing"]) == (0, 0, 0)


def test_figures_are_medians_of_turns_and_latencies_of_all_frames() -> None:
    turns = [turn(1, 2, cpu=0.2), turn(1, 2, 3, 4, cpu=0.8), turn(*range(40), cpu=400.0)]

    row = figures(turns)

    assert row["fps"] == 2
    assert row["cpu_us_per_frame"] == {"sender": 200_000}
    assert row["memory_mb"] == {"sender": 5}
    assert row["p50_ms"] == 500


def test_contestants_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    order: list[str] = []

    class One:
        def __init__(self, name: str) -> None:
            self.name = name

        def run(self, seconds: float) -> Turn:
            order.append(self.name)
            return turn(1)

    turns = contest([One("a"), One("b")], rounds=2, seconds=0.1, title="")

    assert order == ["a", "b", "a", "b"]
    assert [len(turns[name]) for name in "ab"] == [2, 2]


def test_a_program_that_ends_ends_the_turn_with_its_last_words() -> None:
    def programs(stack: ExitStack, environment: Mapping[str, str]) -> list[Program]:
        return [stack.enter_context(Program("sender", ["benchmarks.rivals.nothing_here"]))]

    with pytest.raises(RuntimeError, match=r"(?s)sender ended:.*nothing_here"):
        Chain("lost", programs).run(1.0)


def test_a_note_is_what_the_pixels_say(tmp_path: Path) -> None:
    sink = Sink(str(tmp_path / "notes"))

    assert sink.take(pattern.draw(7, 320, 240, at=1700000000.25)) == 7
    assert sink.take(pattern.draw(8, 320, 240)[:50]) is None
    sink.close()

    first, second = read_notes(tmp_path / "notes")
    assert (first.is_legible, first.number, first.drawn) == (True, 7, 1700000000.25)
    assert first.seen - first.drawn == first.latency > 0
    assert not second.is_legible


def test_half_a_note_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    sink = Sink(str(path))
    sink.take(pattern.draw(7, 320, 240))
    sink.close()
    with path.open("ab") as file:
        file.write(struct.pack("<?I", True, 8))

    assert [one.number for one in read_notes(path)] == [7]
    assert read_notes(tmp_path / "none") == []
