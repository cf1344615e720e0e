"""Window: the frames that are at the hook, whose results leave in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from receiver.hooking.schedule import Task
from receiver.result import Result
from shared.frame import EncodedFrame


class Window:
    """A Feed that gives every frame once, and holds so many at most as there is `room` for.

    One thread calls `put` and `get`; the workers' threads call the rest. With a stateful hook each
    camera keeps to one of `posts` workers.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        *,
        room: int,
        posts: int,
        develop: Callable[[Result], Result] | None = None,
    ) -> None:
        """`develop` is called with each result on the worker's thread, beside the others."""
        self.stateful = False
        self._homes = {camera: number % posts for number, camera in enumerate(cameras)}
        self._room = room
        self._develop = develop
        self._changed = threading.Condition()
        self._wake: list[Callable[[], None]] = []
        self._idle: set[int] = set()
        #: Not yet taken, and all in order.
        self._waiting: deque[_Slot] = deque()
        self._slots: deque[_Slot] = deque()

    @property
    def is_full(self) -> bool:
        return len(self._slots) >= self._room

    @property
    def is_empty(self) -> bool:
        return not self._slots

    def put(self, frame: EncodedFrame) -> None:
        """Let a worker have it."""
        slot = _Slot(frame, self._finish)
        with self._changed:
            self._slots.append(slot)
            self._waiting.append(slot)
            worker = next((each for each in self._idle if self._may(slot, each)), None)
            if worker is not None:
                self._idle.discard(worker)
        if worker is not None:
            self._wake[worker]()

    def get(self, timeout: float) -> Result | None:
        """Return the next frame's result; None when it does not come within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(self._is_next_done, timeout)
            return self._slots.popleft().result if self._is_next_done() else None

    def seat(self, wake: Callable[[], None]) -> int:
        """As Feed says."""
        self._wake.append(wake)
        return len(self._wake) - 1

    def take(self, worker: int) -> Task | None:
        """As Feed says."""
        with self._changed:
            for number, slot in enumerate(self._waiting):
                if self._may(slot, worker):
                    del self._waiting[number]
                    self._idle.discard(worker)
                    return Task(slot, slot.frame)
            self._idle.add(worker)
            return None

    def done(self, task: Task) -> None:
        """Nothing to do: its result says it."""

    def leave(self, worker: int) -> None:
        """As Feed says."""
        with self._changed:
            self._idle.discard(worker)
            # One that was woken for a frame may be the one that leaves.
            idle, self._idle = self._idle, set()
        for each in idle:
            self._wake[each]()

    def _may(self, slot: _Slot, worker: int) -> bool:
        return not self.stateful or self._homes[slot.name] == worker

    def _is_next_done(self) -> bool:
        return bool(self._slots) and self._slots[0].result is not None

    def _finish(self, slot: _Slot, result: Result) -> None:
        if self._develop is not None:
            result = self._develop(result)
        with self._changed:
            slot.result = result
            if slot is self._slots[0]:
                self._changed.notify_all()


class _Slot:
    """A frame's place in the order; the Origin of its task."""

    def __init__(self, frame: EncodedFrame, finish: Callable[[_Slot, Result], None]) -> None:
        self.name = frame.camera
        self.frame = frame
        self.result: Result | None = None
        self._finish = finish

    def finish(self, result: Result) -> None:
        """As Origin says."""
        self._finish(self, result)

    def abandon(self, frame: EncodedFrame, error: str) -> None:
        """As Origin says."""
        self.finish(Result.failed(frame, error))
