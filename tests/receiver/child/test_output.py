from __future__ import annotations

import itertools
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.child.output import Output, plain

UNSAFE = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


class Printer:
    """The writing end; what it prints is read at once, at the time that stands in `now`."""

    def __init__(self, heard: Callable[[str], None] | None = None) -> None:
        read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self.now = 0.0
        self.output = Output(read, label="hook[1]", heard=heard, clock=lambda: self.now)

    def print(self, text: bytes) -> None:
        os.write(self._write, text)
        self.output.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        os.close(self.output.fileno())


@pytest.fixture
def printer(caplog: pytest.LogCaptureFixture) -> Iterator[Printer]:
    caplog.set_level(logging.INFO)
    with Printer() as printer:
        yield printer


def test_lines_are_logged_when_they_are_whole(
    printer: Printer, caplog: pytest.LogCaptureFixture
) -> None:
    printer.print(b"one\ntw")
    assert caplog.messages == ["hook[1] | one"]
    printer.print(b"o\r\n\n10 %\r20 %\r")
    printer.print(b"caf\xc3\xa9 \xff\nlast")
    printer.output.flush()

    assert caplog.messages[1:] == [
        f"hook[1] | {text}" for text in ("two", "10 %", "20 %", "café \ufffd", "last")
    ]


def test_a_flood_is_counted_and_lines_flow_again_after_it(
    printer: Printer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1000):
        printer.print(b"spam\n")
    flood = len(caplog.messages)
    printer.now = 60.0
    printer.print(b"calm\n")

    assert flood == 200
    assert caplog.messages[flood:] == ["hook[1] | ... 800 lines left out ...", "hook[1] | calm"]


def test_a_flood_in_one_piece_is_told_counted_and_ends_in_the_last_lines(
    printer: Printer, caplog: pytest.LogCaptureFixture
) -> None:
    printer.print(b"".join(b"%d\r\n" % number for number in range(10_000)) + b"unfinished")
    printer.now = 60.0
    printer.print(b"\n")

    shown = [message.removeprefix("hook[1] | ") for message in caplog.messages]
    assert shown[:200] == [str(number) for number in range(200)]
    assert shown[200:] == ["... 9800 lines left out ...", "unfinished"]
    assert list(printer.output.recent) == [*map(str, range(9981, 10_000)), "unfinished"]


def test_who_floods_is_left_alone_for_a_while_and_who_prints_a_little_is_not(
    printer: Printer,
) -> None:
    printer.print(b"spam\n" * 200)
    assert printer.output.rests_until == 0.0
    before = time.monotonic()
    printer.print(b"spam\n")
    assert printer.output.rests_until > before


def test_a_line_without_end_does_not_grow(
    printer: Printer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        printer.print(b"x" * 1500)

    assert max(map(len, caplog.messages)) <= 2000 + len("hook[1] | ")
    assert len(caplog.messages) == 5


def test_the_end_is_noted(printer: Printer) -> None:
    read, write = os.pipe()
    output = Output(read, label="x")
    output.read()
    assert not output.ended
    os.close(write)
    output.read()
    os.close(read)

    assert output.ended


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2\x1b\\text\x1b(B\x1bc", "text"),
        ("cut \x1b[", "cut"),
        ("\x9b31mc1", "\\x9b31mc1"),
        ("back\x08space, bell\x07, nul\0", "back\\x08space, bell\\x07, nul\\x00"),
        ("a\tb", "a       b"),
        ("turned \u202eback", "turned \\u202eback"),
        ("two\u2028lines", "two\\u2028lines"),
        (
            "Zürich, 東京, \N{GRINNING FACE}, no\xa0break",
            "Zürich, 東京, \N{GRINNING FACE}, no\xa0break",
        ),
    ],
)
def test_a_line_is_harmless_to_show(line: str, shown: str) -> None:
    assert plain(line) == shown


@given(st.text(max_size=5000))
def test_nothing_that_a_hook_prints_gets_past(line: str) -> None:
    shown = plain(line)

    assert len(shown) <= 2000
    assert not re.search(UNSAFE, shown)
    assert plain(shown) == shown


@given(data=st.binary(max_size=190), cuts=st.lists(st.integers(0, 190)))
def test_lines_are_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(data)]
    heard: list[str] = []
    with Printer(heard.append) as printer:
        for start, end in itertools.pairwise(places):
            printer.print(data[start:end])
        printer.output.flush()

    lines = (plain(line.decode(errors="replace")) for line in re.split(rb"[\r\n]", data))
    assert heard == [line for line in lines if line]


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 20)), min_size=1, max_size=12))
def test_every_line_of_a_flood_is_told_or_counted(bursts: list[tuple[int, float]]) -> None:
    heard: list[str] = []
    with Printer(heard.append) as printer:
        for lines, pause in bursts:
            printer.print(b"x\n" * lines)
            printer.now += pause
        printer.output.flush()

    counted = [re.fullmatch(r"\.\.\. (\d+) lines left out \.\.\.", line) for line in heard]
    left_out = sum(int(found[1]) for found in counted if found)
    told = heard.count("x")
    assert told + left_out == sum(lines for lines, _ in bursts)
    assert told <= 200 + 20 * printer.now + 1
