"""What every listener promises to those who start it, look at it and stop it.

A kind of listener is a Place (`place.py`), a Listener that takes frames there, and perhaps Answers
that give results back; `ways.py` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from receiver.camera import Observer
from receiver.desk import Desk


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """Messages since the start = all of `outcomes`; results = all of `results`. By a word each."""

    url: str
    #: "" where there is none.
    topic: str
    is_up: bool
    reconnects: int
    outcomes: Mapping[Any, int]
    results: Mapping[Any, int] = field(default_factory=dict)
    #: Where messages come in pieces: what became of each, and how many were made from others.
    datagrams: Mapping[Any, int] = field(default_factory=dict)
    repaired: int | None = None


class Work(Protocol):
    """A Worker, as its owner knows it."""

    @property
    def error(self) -> BaseException | None: ...

    def start(self) -> object: ...
    def ask_to_stop(self) -> None: ...
    def join(self, timeout: float) -> bool: ...
    def stop(self, timeout: float) -> bool: ...


class Listener(Work, Protocol):
    """A Worker that takes frames at one place, and gives them to the desk as a POST's.

    It waits out what is wrong there, in growing pauses. It ends within a second of `ask_to_stop`,
    which says that no more frames are to be taken.
    """

    def status(self) -> ListenerStatus:
        """Return how it does; any thread."""
        ...


class Answers(Work, Observer, Protocol):
    """A Worker that gives the hub's results back. As an Observer it never blocks."""

    def interrupt(self) -> None:
        """Give up on whom it waits for; from any thread, for good."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way for frames to come besides HTTP."""

    #: Makes what listens there, once there is a desk.
    listen: Callable[[Desk], Listener]
    #: None where results are not given back, or by the listener itself.
    answers: Answers | None = None
