"""Outstanding: the frames that this receiver gave to the bus, and whose results it still owes."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from receiver.camera import Camera
from receiver.result import Result
from shared.frame import EncodedFrame


@dataclass(frozen=True, slots=True)
class Debt:
    """One frame, taken from its camera's `pending`. `since` is monotonic."""

    camera: Camera
    frame: EncodedFrame
    since: float
    #: It is to be processed even if newer ones come.
    every: bool = False

    def supersede(self) -> None:
        self.camera.supersede(self.frame)

    def fail(self, error: str) -> None:
        """Enter that nothing came of it, and why; whoever wants it processed may send it again."""
        if self.every:
            self.abandon(error)
        else:
            self.camera.finish(Result.failed(self.frame, error))

    def abandon(self, error: str) -> None:
        """Enter that this receiver does not hear of it any more, and why."""
        self.camera.abandon(self.frame, error)


class Outstanding:
    """The debts by number. Any thread; whoever pops one pays it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._debts: dict[int, Debt] = {}
        self._numbers = itertools.count()

    def add(self, camera: Camera, frame: EncodedFrame, *, every: bool = False) -> int:
        """Note a frame, and return its number."""
        with self._lock:
            number = next(self._numbers)
            self._debts[number] = Debt(camera, frame, self._clock(), every)
            return number

    def pop(self, number: int) -> Debt | None:
        """Return the debt, which is no more; None where it was paid before."""
        with self._lock:
            return self._debts.pop(number, None)

    def pop_older(self, seconds: float) -> list[Debt]:
        """Return, likewise, those that are older."""
        end = self._clock() - seconds
        with self._lock:
            found = [number for number, debt in self._debts.items() if debt.since <= end]
            return [self._debts.pop(number) for number in found]

    def older(self, seconds: float) -> list[tuple[int, Debt]]:
        """Return those that are older, with their numbers; they stay debts."""
        end = self._clock() - seconds
        with self._lock:
            return [(number, debt) for number, debt in self._debts.items() if debt.since <= end]

    def __len__(self) -> int:
        return len(self._debts)
