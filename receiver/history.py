"""History: what each camera did in each second of the last minutes, for the curves on the page."""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from receiver.camera import Camera
from receiver.hub import Hub
from receiver.result import Result
from shared.frame import EncodedFrame

#: Seconds between two samples, and how many are kept of a camera.
PERIOD = 1.0
KEPT = 300
_LOST = ("superseded", "failed", "refused", "duplicate")
_COUNTS = ("received", "processed", "shown", *_LOST)
_STAGES = ("send", "network", "queue", "decode", "hook")


class History:
    """An Observer of the hub that is asked for a sample each second. Any thread.

    A frame costs it a few additions. A camera that is gone gets no samples, and one that is
    forgotten leaves nothing behind. Of frames that other receivers on a bus took, their rate and
    their results count; what else became of them they tell themselves.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._pasts: dict[str, _Past] = {}
        self._sampled_at = clock()

    def received(self, frame: EncodedFrame) -> None:
        if frame.sent_at is not None:
            send = max(0.0, frame.sent_at - frame.captured_at)
            network = max(0.0, self._wall_clock() - frame.sent_at - frame.clock_offset)
            self._past(frame.camera).add(0, send, network)

    def finished(self, result: Result) -> None:
        past = self._past(result.frame.camera)
        past.add(2, result.queue, result.decode, result.hook, outcome=result.state)

    def forgotten(self, camera: str) -> None:
        with self._lock:
            self._pasts.pop(camera, None)

    def closed(self) -> None: ...

    def sample(self, hub: Hub) -> None:
        """Enter a sample of each camera, of the time since the last call; for one thread."""
        now = self._clock()
        seconds, self._sampled_at = max(now - self._sampled_at, 1e-3), now
        at = self._wall_clock()
        refused: Counter[str] = Counter()
        for (name, _), number in hub.refused().items():
            refused[name] += number
        cameras = {camera.name: camera for camera in hub.cameras()}
        for name, camera in cameras.items():
            past = self._past(name)
            past.forget(before=at - KEPT * PERIOD, after=at)
            if camera.state() != "gone":
                past.sample(camera, refused[name], at, seconds)
        with self._lock:
            for name in self._pasts.keys() - cameras.keys():
                del self._pasts[name]

    def newest(self) -> dict[str, dict[str, Any]]:
        """Return each camera's newest sample, JSON-able; see `facts`."""
        with self._lock:
            pasts = sorted(self._pasts.items())
        found = {name: past.rows(1) for name, past in pasts}
        return {name: _name(rows[0]) for name, rows in found.items() if rows}

    def facts(self, camera: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name and the samples of `camera`, or of each: lists, oldest first.

        `at` is Unix seconds, numbers of frames are a second, `ms` means of that second; None where
        there were none.
        """
        with self._lock:
            pasts = sorted(self._pasts.items())
        for name, past in pasts:
            if camera in (None, name) and (rows := past.rows()):
                yield name, _name([list(column) for column in zip(*rows, strict=True)])

    def _past(self, camera: str) -> _Past:
        past = self._pasts.get(camera)
        if past is None:
            with self._lock:
                past = self._pasts.setdefault(camera, _Past())
        return past


class _Past:
    """One camera's samples, and the sums of the one to come."""

    def __init__(self) -> None:
        self._samples: deque[array[float]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._before: Sequence[int] = [0] * len(_COUNTS)
        self._outcomes = {"processed": 0, "failed": 0}
        self._start()

    def _start(self) -> None:
        self._sums = [0.0] * len(_STAGES)
        self._numbers = [0] * len(_STAGES)

    def add(self, first: int, *seconds: float, outcome: str | None = None) -> None:
        """Add what a frame spent in the stages from the `first` on, and what became of it."""
        with self._lock:
            for stage, each in enumerate(seconds, start=first):
                self._sums[stage] += each
                self._numbers[stage] += 1
            if outcome is not None:
                self._outcomes[outcome] += 1

    def sample(self, camera: Camera, refused: int, at: float, seconds: float) -> None:
        books, elsewhere = camera.books(), camera.elsewhere
        with self._lock:
            processed, failed = self._outcomes["processed"], self._outcomes["failed"]
            sums, numbers = self._sums, self._numbers
            self._start()
        now = (
            *(books.received, processed, camera.shown),
            *(books.superseded, failed, refused, books.duplicate),
        )
        rates = [max(0, b - a) / seconds for a, b in zip(self._before, now, strict=True)]
        self._before = now
        rates[0] += elsewhere.fps if elsewhere else 0.0
        means = [s / n * 1000 if n else math.nan for s, n in zip(sums, numbers, strict=True)]
        with self._lock:
            self._samples.append(array("d", [at, *rates, *means]))

    def forget(self, *, before: float, after: float) -> None:
        """Drop what is older, and what is of times to come: the clock was set back."""
        with self._lock:
            while self._samples and self._samples[-1][0] > after:
                self._samples.pop()
            while self._samples and self._samples[0][0] < before:
                self._samples.popleft()

    def rows(self, newest: int = KEPT) -> list[list[float | None]]:
        """Return the `newest` samples, oldest first, rounded."""
        with self._lock:
            samples = list(self._samples)[-newest:]
        return [[None if math.isnan(x) else round(x, 3) for x in sample] for sample in samples]


def _name(values: Sequence[Any]) -> dict[str, Any]:
    """Return a sample's values, or the lists of all samples', by their names."""
    named = dict(zip(("at", *_COUNTS), values, strict=False))
    lost = {name: named.pop(name) for name in _LOST}
    return {**named, "lost": lost, "ms": dict(zip(_STAGES, values[-len(_STAGES) :], strict=True))}
