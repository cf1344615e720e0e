"""Bus: one process's end of the bus, its parts wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from receiver.bus import mirror
from receiver.bus.feed import BusFeeds
from receiver.bus.inlet import Inlet
from receiver.bus.link import Link
from receiver.bus.members import BEAT, Facts, Members, make_name
from receiver.bus.mirror import Mirror
from receiver.bus.outlet import Outlet
from receiver.bus.outstanding import Outstanding
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hub import Hub
from shared.worker import Worker

#: Characters of a worker's last traceback: all members read all others' twice a second. The failed
#: result has the whole.
_MAX_TRACEBACK = 1000


class Bus:
    """What a receiver (with its `hub`) or a worker (without one) has on the bus. Any thread."""

    def __init__(self, url: str, hub: Hub | None = None, *, beat: float = BEAT) -> None:
        """Connect to nothing yet; raise ValueError for a URL that names no Redis.

        `beat`: seconds between two words to the others.
        """
        self.link = Link(url)
        self._hub = hub
        self.members = Members(self.link, make_name(), self._describe, beat=beat)
        #: Gives this process's hooks their frames.
        self.feeds = BusFeeds(self.link, self.members)
        self._status: Callable[[], Sequence[WorkerStatus]] = list
        self._timeout = 0.0
        self._outstanding = Outstanding()
        self._outlet: Outlet | None = None
        self._workers: list[Worker] = [self.members]
        if hub is not None:
            ends = (hub, self.link, self.members)
            self._outlet = Outlet(*ends, self._outstanding)
            inlet, seen = Inlet(*ends, self._outstanding), Mirror(*ends)
            self.members.listen(heard=seen.hear, lost=inlet.forget)
            self._workers = [self._outlet, inlet, seen, self.members]

    def tell_of(self, status: Callable[[], Sequence[WorkerStatus]], *, timeout: float) -> None:
        """Have the others told of this process's hooks, which may take `timeout` for a frame."""
        self._status, self._timeout = status, timeout

    def start(self) -> None:
        for worker in reversed(self._workers):
            worker.start()

    def stop(self) -> None:
        """End; the hooks have ended before."""
        for worker in self._workers:
            worker.ask_to_stop()
        for worker in self._workers:
            worker.stop()
        for debt in self._outstanding.pop_older(0.0):
            debt.abandon("the receiver stopped before the bus answered")
        self.link.close()

    @property
    def error(self) -> BaseException | None:
        """The bug that ended a thread, if one did."""
        ended = (worker.error for worker in self._workers if worker.error)
        return next(ended, None) or self.feeds.error

    @property
    def problem(self) -> str | None:
        """Why it does not work, in a sentence."""
        return self.link.problem

    def handles(self, camera: str) -> bool:
        """Say whether a hook, wherever it runs, gets the camera's frames."""
        return self.members.hook_of(camera) is not None

    def trouble(self, camera: str) -> str | None:
        """Say why the camera's hook will not answer soon, if it will not."""
        if self.problem is not None:
            return self.problem
        return None if self.members.is_ready(camera) else "no worker is ready"

    def hooks(self) -> list[Mapping[str, Any]]:
        """Return the facts of every hook's worker, wherever it runs."""
        return list(self.members.hooks())

    @property
    def outstanding(self) -> int:
        """How many frames' results are due to this receiver."""
        return len(self._outstanding)

    @property
    def frames_lost(self) -> int:
        """How many frames Redis did not take."""
        return 0 if self._outlet is None else self._outlet.lost

    def _describe(self) -> Facts:
        hooks = [
            {
                **asdict(status),
                "last_traceback": (status.last_traceback or "")[-_MAX_TRACEBACK:] or None,
                "seat": seat.seat_name,
                "leases": len(seat.leases),
            }
            for status, seat in zip(self._status(), self.feeds.seats, strict=False)
        ]
        cameras = {} if self._hub is None else mirror.describe(self._hub)
        return {"cameras": cameras, "hooks": hooks, "timeout": self._timeout}
