"""Hub: the cameras by name. The receiver's one place of state."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from receiver.camera import Camera, Observer
from receiver.order import Outcome
from receiver.standstill import Standstill
from receiver.ticket import Ticket
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.wire import Envelope


class Hub:
    """The cameras by name. All methods may be called from any thread."""

    def __init__(
        self,
        *,
        max_cameras: int = 128,
        max_queue: int = 16,
        observers: Sequence[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_cameras = max_cameras
        self.max_queue = max_queue
        self._observers = tuple(observers)
        self._clock = clock
        self._cameras: dict[str, Camera] = {}
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[Camera], None], ...] = ()
        self._epoch = secrets.token_hex(4)
        self._numbers: dict[str, int] = {}
        self._closed = False
        self.standstill = Standstill(clock=clock)
        #: Bodies that were no frames, by (camera, reason); the camera is "" where none is known.
        self._refused: Counter[tuple[str, str]] = Counter()

    def publish(
        self, frame: EncodedFrame, *, every: bool = False, ticket: Ticket | None = None
    ) -> Outcome:
        """Give `frame` to its camera, see `Camera.accept`.

        Raise FrameError: 429 for too many cameras, 503 once closed or for a full queue.
        """
        camera = self._camera(frame.camera)
        outcome = camera.accept(frame, every=every, ticket=ticket)
        if outcome == "accepted":
            for listener in self._listeners:
                listener(camera)
        return outcome

    def join(self, frame: EncodedFrame, ticket: Ticket) -> Ticket | None:
        """Return what tells of the same frame that came before, see `Pending.join`."""
        camera = self._cameras.get(frame.camera)
        return None if camera is None else camera.pending.join(frame, ticket)

    def meet(self, name: str) -> Camera | None:
        """Return the camera, made if need be, that another receiver has; None where no room is."""
        camera = self._cameras.get(name)
        if camera is None:
            try:
                camera = self._camera(name, is_elsewhere=True)
            except FrameError:
                return None
        return camera

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

    def offset_of(self, camera: str, envelope: Envelope, received: float) -> float:
        """Return what to add to the envelope's times, see SenderClock; raise as `publish` does."""
        return self._camera(camera).sender_clock.offset_of(envelope, received)

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
        with self._lock:  # a camera that is being made is closed with the others, or not made
            self._closed = True
        for camera in self.cameras():
            camera.close()
        for observer in self._observers:
            observer.closed()

    def _camera(self, name: str, *, is_elsewhere: bool = False) -> Camera:
        camera = self._cameras.get(name)
        if camera is not None and not self._closed:
            return camera
        with self._lock:
            if self._closed:
                raise FrameError("receiver: is shutting down", status=503, reason="draining")
            if name not in self._cameras:
                self._make_room(is_elsewhere=is_elsewhere)
                self._cameras[name] = Camera(
                    name,
                    max_queue=self.max_queue,
                    observers=self._observers,
                    clock=self._clock,
                    is_elsewhere=is_elsewhere,
                    standstill=self.standstill,
                )
            return self._cameras[name]

    def _make_room(self, *, is_elsewhere: bool) -> None:
        if len(self._cameras) < self._max_cameras:
            return
        # What is only known of from other receivers makes room for our own, never the reverse.
        known = [each for each in self._cameras.values() if math.isinf(each.own_age())]
        oldest = max(known or self._cameras.values(), key=Camera.age)
        if is_elsewhere or (not known and oldest.state() != "gone"):
            raise FrameError(
                f"camera: expected at most {self._max_cameras} cameras, and all are in use",
                status=429,
                reason="cameras",
            )
        del self._cameras[oldest.name]
        self._numbers.pop(oldest.name, None)
        for key in [key for key in self._refused if key[0] == oldest.name]:
            del self._refused[key]
        for observer in self._observers:
            observer.forgotten(oldest.name)
        oldest.close()
