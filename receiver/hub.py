"""Hub: every camera's newest frame, newest result and books. The receiver's one place of state."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from receiver.latency import Latencies
from receiver.order import Order, Outcome, is_before
from receiver.result import Result
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.latest import Latest
from shared.rate import Rate

#: Without a frame for this many seconds a camera is stale, then gone.
STALE_AFTER = 3.0
GONE_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Books:
    """received = processed + superseded + failed + waiting, to the frame, at every moment.

    Duplicates and refused bodies were never received; they have counters of their own.
    """

    received: int
    processed: int
    superseded: int
    failed: int
    waiting: int
    duplicate: int


class Observer(Protocol):
    """Who is told of every frame and result, such as the metrics; must not block."""

    def received(self, frame: EncodedFrame) -> None: ...
    def finished(self, result: Result) -> None: ...
    def forgotten(self, camera: str) -> None: ...


class Camera:
    """One camera: `latest` feeds the viewers, `pending` is the hook's place in it."""

    def __init__(
        self,
        name: str,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.latest: Latest[EncodedFrame] = Latest()
        self.pending = self.latest.reader()
        #: The newest frame as the hook left it, and the newest result.
        self.annotated: Latest[EncodedFrame] = Latest()
        self.results: Latest[Result] = Latest()
        self.latencies = Latencies()
        self.arrivals = Rate(clock=clock)
        self.viewers = 0
        self._observer = observer
        self._clock = clock
        self._lock = threading.Lock()
        self._seen_at = clock()
        self._order = Order()
        self._shown: EncodedFrame | None = None
        self._received = self._processed = self._failed = self._late = self._duplicate = 0

    def accept(self, frame: EncodedFrame) -> Outcome:
        """Take a frame from a client. Never blocks; a newer frame takes an older one's place."""
        with self._lock:
            outcome = self._order.place(frame)
            if outcome == "duplicate":
                self._duplicate += 1
                return outcome
            self._received += 1
            self._seen_at = self._clock()
            self.arrivals.tick()
            if outcome == "superseded":
                self._late += 1
            else:
                self.latest.put(frame)
        if self._observer is not None:
            self._observer.received(frame)
        return outcome

    def finish(self, result: Result) -> None:
        """Enter the result of a frame that was taken from `pending`; exactly once for each."""
        with self._lock:
            if result.state == "processed":
                self._processed += 1
            else:
                self._failed += 1
            newest = self._shown is None or not is_before(result.frame, self._shown)
            if newest:
                # Within the lock: two workers that end at once must not swap the order.
                self._shown = result.frame
                self.annotated.put(result.picture)
                self.results.put(result)
        self.latencies.add(result)
        if self._observer is not None:
            self._observer.finished(result)

    def books(self) -> Books:
        with self._lock:
            taken, skipped, waiting = self.pending.counts()
            done = self._processed + self._failed
            return Books(
                received=self._received,
                processed=self._processed,
                superseded=skipped + self._late,
                failed=self._failed,
                waiting=waiting + taken - done,
                duplicate=self._duplicate,
            )

    def age(self) -> float:
        """Return the seconds since a frame last came."""
        return self._clock() - self._seen_at

    def state(self) -> Literal["live", "stale", "gone"]:
        age = self.age()
        return "live" if age < STALE_AFTER else "stale" if age < GONE_AFTER else "gone"

    def close(self) -> None:
        self.latest.close()
        self.annotated.close()
        self.results.close()


class Hub:
    """The cameras by name. All methods may be called from any thread."""

    def __init__(
        self,
        *,
        max_cameras: int = 128,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_cameras = max_cameras
        self._observer = observer
        self._clock = clock
        self._cameras: dict[str, Camera] = {}
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[Camera], None], ...] = ()
        self._epoch = secrets.token_hex(4)
        self._numbers: dict[str, int] = {}
        self._closed = False
        #: Bodies that were no frames, by (camera, reason); the camera is "" where none is known.
        self._refused: Counter[tuple[str, str]] = Counter()

    def publish(self, frame: EncodedFrame) -> Outcome:
        """Give `frame` to its camera; raise FrameError: 429 for too many, 503 once closed."""
        camera = self._camera(frame.camera)
        outcome = camera.accept(frame)
        if outcome == "accepted":
            for listener in self._listeners:
                listener(camera)
        return outcome

    def refuse(self, camera: str, reason: str) -> None:
        """Count a body that was refused; a name that is no known camera's is not kept."""
        with self._lock:
            self._refused[camera if camera in self._cameras else "", reason] += 1

    def refused(self) -> dict[tuple[str, str], int]:
        """Return how many bodies were refused by (camera or "", reason)."""
        with self._lock:
            return dict(self._refused)

    def number(self, camera: str) -> tuple[str, int]:
        """Return epoch and seq for a frame whose client numbers none; raise as `publish` does."""
        self._camera(camera)  # else the names of strangers would be kept for ever
        with self._lock:
            seq = self._numbers.get(camera, -1) + 1
            self._numbers[camera] = seq
        return self._epoch, seq

    def listen(self, listener: Callable[[Camera], None]) -> None:
        """Call `listener` with the camera after every new frame; it must not block."""
        self._listeners = (*self._listeners, listener)

    def get(self, name: str) -> Camera | None:
        return self._cameras.get(name)

    def cameras(self) -> list[Camera]:
        """Return the cameras in order of their names."""
        with self._lock:
            return [self._cameras[name] for name in sorted(self._cameras)]

    def close(self) -> None:
        """Take no more and end every feed: each reader gets what is held, then Closed."""
        self._closed = True
        for camera in self.cameras():
            camera.close()

    def _camera(self, name: str) -> Camera:
        if self._closed:
            raise FrameError("receiver: is shutting down", status=503, reason="draining")
        camera = self._cameras.get(name)
        if camera is not None:
            return camera
        with self._lock:
            if name not in self._cameras:
                self._make_room()
                self._cameras[name] = Camera(name, observer=self._observer, clock=self._clock)
            return self._cameras[name]

    def _make_room(self) -> None:
        if len(self._cameras) < self._max_cameras:
            return
        oldest = max(self._cameras.values(), key=Camera.age)
        if oldest.state() != "gone":
            raise FrameError(
                f"camera: expected at most {self._max_cameras} cameras, and all are in use",
                status=429,
                reason="cameras",
            )
        del self._cameras[oldest.name]
        self._numbers.pop(oldest.name, None)
        for key in [key for key in self._refused if key[0] == oldest.name]:
            del self._refused[key]
        if self._observer is not None:
            self._observer.forgotten(oldest.name)
        oldest.close()
