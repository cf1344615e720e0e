from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import pytest

from receiver.child import output as output_module
from receiver.child.child import Child
from receiver.child.output import Output
from receiver.child.pipe import Pipe
from receiver.child.switchboard import Switchboard


class Talker:
    """A child without a process: the ends that its switchboard hears, and their other ends."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pipe, self.theirs = Pipe(ours), Pipe(theirs)
        reading, self.writing = os.pipe()
        self.output = Output(reading, label="hook[1]")

    def print(self, text: bytes) -> None:
        os.write(self.writing, text)

    def hang_up(self) -> None:
        with suppress(OSError):
            os.close(self.writing)

    def close(self) -> None:
        self.pipe.close()
        self.theirs.close()
        self.hang_up()
        os.close(self.output.fileno())


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker()
    yield talker
    talker.close()


@pytest.fixture
def board(talker: Talker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switchboard[Child]]:
    monkeypatch.setattr(output_module, "_REST", 3600.0)
    board: Switchboard[Child] = Switchboard()
    board.open()
    board.add(cast(Child, talker))
    yield board
    board.close()


def flood(board: Switchboard[Child], talker: Talker) -> None:
    talker.print(b"spam\n" * 300)
    board.wait(time.monotonic())
    assert talker.output.rests_until > time.monotonic()


def test_what_a_flooding_child_prints_waits_until_it_is_heard_again(
    board: Switchboard[Child], talker: Talker
) -> None:
    flood(board, talker)
    talker.print(b"later\n")
    for _ in range(3):
        board.wait(time.monotonic())
    assert talker.output.recent[-1] == "spam"

    talker.output.rests_until = time.monotonic()
    board.wait(time.monotonic() + 3600)  # its rest is over: nobody waits longer for that
    board.wait(time.monotonic() + 3600)

    assert talker.output.recent[-1] == "later"


def test_what_a_flooding_child_answers_is_heard_at_once(
    board: Switchboard[Child], talker: Talker
) -> None:
    flood(board, talker)
    talker.theirs.send({"answer": 1})

    heard = board.wait(time.monotonic() + 3600)

    assert [message for _, message in heard] == [({"answer": 1}, b"")]


def test_the_last_words_of_a_flooding_child_are_heard_when_it_ends(
    board: Switchboard[Child], talker: Talker
) -> None:
    flood(board, talker)
    talker.print(b"last words\n")
    talker.hang_up()
    board.wait(time.monotonic() + 3600)
    board.wait(time.monotonic() + 0)

    assert talker.output.recent[-1] == "last words"
    assert talker.output.ended
