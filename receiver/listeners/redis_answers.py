"""RedisAnswers: writes what came of the frames back into the Redis that they came from."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

from receiver.listeners.redis_place import RedisPlace
from receiver.order import is_before
from receiver.result import Result
from shared.backoff import Backoff
from shared.frame import EncodedFrame
from shared.redis_line import Command, RedisLine, RedisRefusal, RedisTrouble
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds for Redis to take what is written.
_DEADLINE = 1.5
_CEILING = 5.0
#: Seconds that the time of a frame waits for a result to be written with.
_LINGER = 0.05

#: superseded: a newer one took its place before it was written · failed: Redis did not take it.
Outcome = Literal["written", "superseded", "failed"]


class RedisAnswers(Worker):
    """An Observer of the hub. It writes each camera's newest result, and when a frame last came, on
    a thread of its own.

    Those who bring them never wait: what was not written yet is replaced by what is newer, and what
    Redis did not take is gone. Only of cameras that come this way are results written.
    """

    def __init__(
        self,
        place: RedisPlace,
        line: RedisLine | None = None,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"answers to {place.shown}")
        self.place = place
        self._line = line or RedisLine(place.url, deadline=_DEADLINE)
        self._backoff = backoff or Backoff(0.25, _CEILING)
        self._clock = clock
        self._trouble = Trouble(
            f"listener {place.shown}", over="results are written again", logger=logger, clock=clock
        )
        self._changed = threading.Condition()
        #: The cameras that came this way, and the frames of their newest results.
        self._newest: dict[str, EncodedFrame | None] = {}
        #: What is to be written: by camera, and Unix seconds.
        self._results: dict[str, Result] = {}
        self._came: float | None = None
        self._counts: Counter[Outcome] = Counter()
        self._awake = False
        self._due = 0.0

    def comes(self, camera: str) -> bool:
        """Take note that a frame of the camera comes this way: its results are to be written.

        Return whether that is news.
        """
        with self._changed:
            is_new = camera not in self._newest
            self._newest.setdefault(camera, None)
            return is_new

    def came(self, at: float) -> None:
        """Take note that a frame was taken at `at`, in Unix seconds."""
        if self.place.receive_time:
            with self._changed:
                self._came = at
                self._changed.notify()

    def received(self, frame: EncodedFrame) -> None: ...

    def finished(self, result: Result) -> None:
        camera = result.frame.camera
        with self._changed:
            if camera not in self._newest or not self.place.result:
                return
            newest = self._newest[camera]
            if newest is not None and is_before(result.frame, newest):
                return
            self._newest[camera] = result.frame
            self._counts["superseded"] += camera in self._results
            self._results[camera] = result
            self._changed.notify()

    def forgotten(self, camera: str) -> None:
        with self._changed:
            self._newest.pop(camera, None)

    def closed(self) -> None: ...

    def outcomes(self) -> dict[Outcome, int]:
        """Return how many results were written, and how many were not; any thread."""
        with self._changed:
            return dict(self._counts)

    def step(self) -> None:
        """Write what waits, or wait up to a second for something, or out a pause."""
        left = self._due - self._clock()
        if left > 0:
            self.pause(min(left, 1.0))
            return
        with self._changed:
            self._changed.wait_for(lambda: self._awake or self._is_waiting(), 1.0)
            # A frame's time and its result are written together, where that follows soon.
            self._changed.wait_for(lambda: self._awake or self._results, _LINGER)
        self._write()

    def close(self) -> None:
        """Write what waits, once more, and end."""
        if self._due <= self._clock():
            self._write()
        self._line.close()

    def wake(self) -> None:
        with self._changed:
            self._awake = True
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Give up on a Redis that is being waited for; from any thread, for good."""
        self._line.interrupt()

    def _is_waiting(self) -> bool:
        return bool(self._results) or self._came is not None

    def _write(self) -> None:
        with self._changed:
            results, self._results = self._results, {}
            came, self._came = self._came, None
        expire = ("PX", str(round(self.place.expire * 1000)))
        commands: list[Command] = [
            ("SET", self.place.result.replace("{camera}", camera), _encode(result), *expire)
            for camera, result in results.items()
        ]
        if came is not None:
            commands.append(("SET", self.place.receive_time, f"{came:.6f}", *expire))
        if not commands:
            return
        outcome: Outcome = "written"
        try:
            for reply in self._line.ask(*commands):
                if isinstance(reply, RedisRefusal):
                    raise reply
        except RedisTrouble as exc:
            outcome = "failed"
            self._due = self._clock() + self._backoff.next()
            self._trouble.happened(exc.reason, f"results are not written: {exc}")
        else:
            self._backoff.reset()
            self._trouble.worked()
        with self._changed:
            self._counts[outcome] += len(results)


def _encode(result: Result) -> bytes:
    return json.dumps(result.facts(), separators=(",", ":")).encode()
