"""Schedule: which camera's newest frame goes to which of a hook's workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from receiver.camera import Camera
from receiver.hub import Hub
from receiver.result import Result
from shared.frame import EncodedFrame


class Origin(Protocol):
    """Where a frame came from, and its result goes: a camera of the hub, or the bus."""

    @property
    def name(self) -> str: ...
    def finish(self, result: Result) -> None: ...
    def abandon(self, frame: EncodedFrame, error: str) -> None:
        """Note that the hook did not finish a frame, for it was not given the time to."""


@dataclass(frozen=True, slots=True)
class Task:
    """A frame that a worker took, and owes a result for. `taken` is monotonic."""

    camera: Origin
    frame: EncodedFrame
    taken: float = field(default_factory=time.monotonic)
    #: The camera came to this worker anew; what a stateful hook knows of it is old.
    is_new: bool = False


class Feed(Protocol):
    """Gives one hook's workers their frames. `take` and `done` are called on their threads."""

    #: Whether a camera keeps to one worker; the hook says so once it is set up.
    stateful: bool

    def seat(self, wake: Callable[[], None]) -> int:
        """Admit a worker and return its number; `wake` ends its wait, and must not block."""
        ...

    def take(self, worker: int) -> Task | None:
        """Return a frame for `worker`, or None: then it will be woken when there is one."""
        ...

    def done(self, task: Task) -> None:
        """Note that a taken frame has got its result."""
        ...

    def leave(self, worker: int) -> None:
        """Note that `worker` is down: frames are for the others."""
        ...


class Feeds(Protocol):
    """Where hooks' frames come from: the hub, or the bus."""

    def feed(self, hook_camera: str | None) -> Feed:
        """Return what the workers of the hook for that camera take from; None for all others."""
        ...

    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(slots=True)
class _Place:
    """A camera's place in the schedule."""

    camera: Camera
    #: The worker that gets all its frames, where the hook is stateful.
    home: int
    #: A frame may wait.
    waiting: bool = False
    #: Workers that run a frame of it now.
    held: int = 0
    #: Number of the latest turn it got.
    turn: int = 0


class Schedule:
    """Give the newest frame of the camera that was served longest ago to any free worker.

    Law 5, within one hook: a camera that holds a worker already gets a further one only when
    another stays free, as long as there are other live cameras. So one slow camera never holds
    all of several workers; with a single worker nothing can be done but giving the camera a hook
    (and so workers) of its own.

    With `stateful` a camera keeps to one worker, in turn by order of first appearance.

    `offer` is called on the thread that publishes, `take` and `done` on the workers' threads.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wake: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}
        self._idle: set[int] = set()
        self._turn = 0
        self._appeared = 0
        self.stateful = False

    def seat(self, wake: Callable[[], None]) -> int:
        """As Feed says. All workers are admitted before the first frame is offered."""
        self._wake.append(wake)
        return len(self._wake) - 1

    def offer(self, camera: Camera) -> None:
        """Note that `camera` has a new frame, and wake a worker that may take it."""
        with self._lock:
            place = self._places.get(camera.name)
            if place is None or place.camera is not camera:
                place = self._place(camera)
            place.waiting = True
            worker = self._idle_for(place)
        if worker is not None:
            self._wake[worker]()

    def take(self, worker: int) -> Task | None:
        """Return a frame for `worker`, or None: then it will be woken when there is one."""
        task = self._take(worker)
        if task is not None:
            self._share()
        return task

    def _take(self, worker: int) -> Task | None:
        with self._lock:
            self._idle.discard(worker)
            places = [p for p in self._places.values() if p.waiting and self._may(p, worker)]
            for place in sorted(places, key=lambda p: p.turn):
                # First the mark, then the look: a frame that comes in between is offered anew.
                place.waiting = False
                frame = place.camera.pending.take()
                if frame is not None:
                    place.waiting = len(place.camera.pending) > 0
                    place.held += 1
                    self._turn += 1
                    place.turn = self._turn
                    return Task(place.camera, frame)
            self._idle.add(worker)
            return None

    def done(self, task: Task) -> None:
        """Note that a taken frame has got its result."""
        with self._lock:
            place = self._places.get(task.camera.name)
            if place is not None and place.camera is task.camera:
                place.held -= 1

    def leave(self, worker: int) -> None:
        """Note that `worker` is down: frames are for the others."""
        with self._lock:
            self._idle.discard(worker)
        self._share()

    def _share(self) -> None:
        """Wake an idle worker for a frame that waits for one that did not take it."""
        with self._lock:
            waiting = [place for place in self._places.values() if place.waiting and self._idle]
            found = (self._idle_for(place) for place in waiting)
            worker = next((each for each in found if each is not None), None)
        if worker is not None:
            self._wake[worker]()

    def _idle_for(self, place: _Place) -> int | None:
        """Return an idle worker that may take a frame of `place`, no longer idle; else None."""
        free = [worker for worker in self._idle if self._may(place, worker)]
        if not free:
            return None
        self._idle.remove(min(free))
        return min(free)

    def _may(self, place: _Place, worker: int) -> bool:
        if self.stateful:
            return place.home == worker
        if place.held == 0:
            return True
        if self._idle - {worker}:
            return True
        return not any(p is not place and p.camera.is_live() for p in self._places.values())

    def _place(self, camera: Camera) -> _Place:
        # Cameras come and go; what the hub has forgotten is forgotten here.
        for name, place in list(self._places.items()):
            if self._hub.get(name) is not place.camera:
                del self._places[name]
        place = _Place(camera, home=self._appeared % len(self._wake))
        self._appeared += 1
        self._places[camera.name] = place
        return place


class HubFeeds:
    """Gives every hook the hub's frames: a camera's go to the hook that names it, else to the one
    that names none, else to nobody."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._schedules: dict[str | None, Schedule] = {}

    def feed(self, hook_camera: str | None) -> Schedule:
        self._schedules[hook_camera] = Schedule(self._hub)
        return self._schedules[hook_camera]

    def start(self) -> None:
        self._hub.listen(self._offer)
        for camera in self._hub.cameras():
            self._offer(camera)

    def stop(self) -> None:
        """Nothing to do: the hub is closed by its owner."""

    def _offer(self, camera: Camera) -> None:
        schedule = self._schedules.get(camera.name) or self._schedules.get(None)
        if schedule is not None:
            schedule.offer(camera)
