"""Recorder: keeps what cameras send on disk; the frames' way through the receiver never waits."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.feeds.journal import weigh
from receiver.recording.disk import Disk
from receiver.recording.plan import MAX_EVENT, Plan, event_seconds
from receiver.recording.preroll import Preroll, Told
from receiver.recording.quota import Quota
from receiver.recording.reel import Reel
from receiver.recording.shelf import Shelf
from receiver.recording.tally import Tally
from receiver.recording.track import Track
from receiver.region import SharedFrame
from receiver.result import Result
from shared.frame import EncodedFrame
from shared.worker import Worker

#: Bytes that may wait for the disk, of all cameras; and that may be held for events.
_QUEUE = 64 << 20
_HELD = 256 << 20
#: Bytes of a frame besides its data.
_OBJECT = 512
#: Seconds between two looks into the queue: to wake a thread for each frame costs more.
_TICK = 0.1
#: A segment is at least so long where too much is being written for the quota.
_SHORT = 10.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody's wish that a camera be recorded."""

    camera: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Forgotten:
    camera: str


_Item = EncodedFrame | Told | Ask | _Forgotten


class Recorder(Worker):
    """An Observer of the hub, with one thread that writes for all cameras.

    What waits for it is bounded by bytes: frames that a slow disk has no time for are counted as
    lost. Every public method may be called from any thread.
    """

    def __init__(
        self, plan: Plan, *, queue: int = _QUEUE, held: int = _HELD, tick: float = _TICK
    ) -> None:
        super().__init__("recorder")
        self.plan = plan
        self.shelf = Shelf(plan.folder)
        self.quota = Quota(self.shelf, max_bytes=plan.max_bytes, max_age=plan.max_age)
        self.disk = Disk(self.quota)
        #: Set when the receiver shuts down.
        self.closing = threading.Event()
        self._limit, self._held, self._tick = queue, held, tick
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._items: deque[_Item] = deque()
        self._waiting = 0
        self._tallies: dict[str, Tally] = {}
        self._tracks: dict[str, Track] = {}

    def wants(self, camera: str) -> bool:
        """Tell whether this camera is among those that are recorded."""
        return self.plan.cameras is None or camera in self.plan.cameras

    def received(self, frame: EncodedFrame) -> None:
        if not self.wants(frame.camera):
            return
        size = _weight(frame)
        with self._lock:
            tally = self._tallies.get(frame.camera)
            if tally is None:
                tally = self._tallies[frame.camera] = Tally()
            tally.taken += 1
            if isinstance(frame, SharedFrame):
                tally.lost["shared_memory"] += 1
            elif self._waiting + size > self._limit:
                tally.lost["slow"] += 1
            else:
                self._waiting += size
                self._items.append(frame)
        if self._waiting > self._limit // 8:
            self._awake.set()

    def finished(self, result: Result) -> None:
        frame = result.frame
        # On a bus the receiver that took the frame records it.
        if not result.is_ours or not self.wants(frame.camera):
            return
        facts = result.facts()
        weight = weigh(facts)
        told = Told(frame.camera, frame.epoch, frame.seq, frame.arrived, facts, weight)
        seconds = event_seconds(result.value) if self.plan.schedule.event else None
        with self._lock:
            if self._waiting + weight <= self._limit:
                self._waiting += weight
                self._items.append(told)
            elif frame.camera in self._tallies:
                self._tallies[frame.camera].results_lost += 1
            if seconds is not None:
                self._items.append(Ask(frame.camera, seconds, "hook"))

    def forgotten(self, camera: str) -> None:
        with self._lock:
            self._tallies.pop(camera, None)
            self._items.append(_Forgotten(camera))

    def closed(self) -> None:
        self.closing.set()

    def ask(self, camera: str, seconds: float) -> None:
        """Record a camera for `seconds` from now on, whatever the schedule says."""
        with self._lock:
            self._items.append(Ask(camera, min(seconds, MAX_EVENT), "request"))
        self._awake.set()

    def tallies(self) -> dict[str, Tally]:
        """Return what became of each camera's frames."""
        with self._lock:
            return dict(self._tallies)

    @property
    def problem(self) -> str | None:
        """Why something cannot be written now, in one sentence."""
        return self.disk.problem

    @property
    def waiting(self) -> int:
        """Bytes that wait for the disk."""
        return self._waiting

    def facts(self) -> dict[str, Any]:
        """Return the state of the recording, JSON-able."""
        with self._lock:
            tracks = dict(self._tracks)
        return {
            "on": self.problem is None,
            "reason": self.problem,
            "bytes": self.quota.bytes,
            "max_bytes": self.plan.max_bytes,
            "max_age_seconds": self.plan.max_age,
            "free_bytes": self.shelf.free(),
            "cameras": {name: tracks[name].facts() for name in sorted(tracks)},
        }

    def wake(self) -> None:
        self._awake.set()

    def step(self) -> None:
        self._awake.wait(self._tick)
        self._awake.clear()
        self.work()

    def work(self) -> None:
        """Write what waits, and do what time asks for."""
        is_on = self.plan.schedule.is_on(datetime.now())
        for track in self._tracks.values():
            track.is_on = is_on
        for _ in range(len(self._items)):
            with self._lock:
                item = self._items.popleft()
            self._handle(item, is_on)
            with self._lock:
                self._waiting -= _weight(item)
        limit = self._held // max(1, len(self._tracks))
        self.quota.wrote(sum(track.tick(limit) for track in self._tracks.values()))
        self.quota.keep()
        if self.quota.is_over:
            # What is being written is too much by itself: end it, so that it can make room.
            for track in self._tracks.values():
                track.cut(_SHORT)

    def close(self) -> None:
        self.work()
        for track in self._tracks.values():
            track.close()

    def _handle(self, item: _Item, is_on: bool) -> None:
        track = self._tracks.get(item.camera)
        if isinstance(item, EncodedFrame):
            if track is None:
                track = self._track(item.camera)
                track.is_on = is_on
            track.take(item)
        elif track is None:
            return
        elif isinstance(item, Told):
            track.tell(item)
        elif isinstance(item, Ask):
            track.ask(item.seconds, item.reason)
        else:
            track.close()
            self.disk.forget(item.camera)
            with self._lock:
                del self._tracks[item.camera]

    def _track(self, camera: str) -> Track:
        with self._lock:
            tally = self._tallies.setdefault(camera, Tally())
        folder = self.plan.folder / camera
        reel = Reel(folder, seconds=self.plan.segment, tally=tally, disk=self.disk)
        preroll = Preroll(self.plan.before) if self.plan.schedule.event else None
        track = Track(reel, tally, preroll=preroll)
        with self._lock:
            self._tracks[camera] = track
        return track


def _weight(item: _Item) -> int:
    if isinstance(item, EncodedFrame):
        return len(item.data) + _OBJECT
    return item.weight if isinstance(item, Told) else 0
