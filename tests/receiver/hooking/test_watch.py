from __future__ import annotations

from pathlib import Path

import pytest

from receiver.hooking.watch import Watch


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_change_is_told_once_and_only_when_it_has_come_to_rest(
    tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "a.py"
    file.write_text("1")
    watch = Watch(1.0, clock=clock)
    watch.follow([str(file)])
    told = []
    for text in (None, "12", "123", None, None, None):
        if text is not None:
            file.write_text(text)
        clock.now += 1
        told.append(watch.changed())

    assert told == [[], [], [], [str(file)], [], []]


def test_it_looks_no_more_often_than_it_should(tmp_path: Path, clock: Clock) -> None:
    watch = Watch(1.0, clock=clock)
    watch.follow([str(tmp_path / "a.py")])
    (tmp_path / "a.py").touch()
    for _ in range(5):
        assert watch.changed() == []
    clock.now = 1.0
    watch.changed()
    clock.now = 2.0

    assert watch.changed() == [str(tmp_path / "a.py")]


def test_a_file_that_goes_or_is_swapped_has_changed(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "a.py"
    file.write_text("1")
    watch = Watch(1.0, clock=clock)
    watch.follow([str(file)])
    for change in (file.unlink, lambda: file.write_text("1")):
        change()
        told = []
        for _ in range(2):
            clock.now += 1
            told.append(watch.changed())
        assert told == [[], [str(file)]]


def test_following_more_keeps_what_is_known(tmp_path: Path, clock: Clock) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    watch = Watch(1.0, clock=clock)
    watch.follow([str(first)])
    first.write_text("new")
    watch.also([str(second)])
    for _ in range(2):
        clock.now += 1
        told = watch.changed()

    assert told == [str(first)]
