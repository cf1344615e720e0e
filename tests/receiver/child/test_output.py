from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from receiver.child.output import Output


class Printer:
    """The writing end; what it prints is read at once, at the time that stands in `now`."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self.now = 0.0
        self.output = Output(read, label="hook[1]", clock=lambda: self.now)

    def print(self, text: bytes) -> None:
        os.write(self._write, text)
        self.output.read()

    def close(self) -> None:
        os.close(self._write)
        os.close(self.output.fileno())


@pytest.fixture
def printer(caplog: pytest.LogCaptureFixture) -> Iterator[Printer]:
    caplog.set_level(logging.INFO)
    printer = Printer()
    yield printer
    printer.close()


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
