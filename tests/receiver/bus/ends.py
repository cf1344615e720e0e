"""Ends: receivers and workers on a bus, as few parts of them as a test needs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis

from receiver.books import Books
from receiver.bus.bus import Bus
from receiver.camera import Camera
from receiver.hooking.hooks import HookSpec
from receiver.hooking.runner import Runner
from receiver.hub import Hub
from receiver.result import Result
from receiver.ticket import Ticket
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.receiver.bench import wait_until

#: Waits for a file of the camera's name, where the test made one of that name and ".wait".
PATIENT = """
    import time
    from pathlib import Path

    FOLDER = Path(__file__).parent

    def process(frame):
        while (FOLDER / f"{frame.camera}.wait").exists():
            time.sleep(0.005)
        return frame.seq
"""

#: Counts what it saw of each camera since its setup.
COUNTING = """
    import os

    class Counter:
        stateful = True

        def setup(self):
            self.seen = {}

        def process(self, frame):
            self.seen[frame.camera] = self.seen.get(frame.camera, 0) + 1
            return {"count": self.seen[frame.camera], "by": os.getpid(), "setup": id(self.seen)}
"""


class Listening:
    """An observer that keeps the results."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def received(self, frame: EncodedFrame) -> None: ...
    def finished(self, result: Result) -> None:
        self.results.append(result)

    def forgotten(self, camera: str) -> None: ...
    def closed(self) -> None: ...


class ReceiverEnd:
    """A receiver's hub and its end of the bus."""

    def __init__(self, url: str, make_frame: MakeFrame) -> None:
        self.heard = Listening()
        self.hub = Hub(observers=[self.heard])
        self.bus = Bus(url, self.hub, beat=0.1)
        self._url = url
        self._make_frame = make_frame
        self._next: Counter[str] = Counter()
        self.bus.start()

    def publish(
        self, camera: str = "cam1", *, every: bool = False, seq: int | None = None, **facts: Any
    ) -> Ticket:
        """Publish the camera's next frame."""
        number = self._next[camera] if seq is None else seq
        self._next[camera] = number + 1
        ticket = Ticket()
        frame = self._make_frame(number, camera=camera, **facts)
        self.hub.publish(frame, every=every, ticket=ticket)
        return ticket

    def ask(self, camera: str = "cam1", *, seconds: float = 30.0, **facts: Any) -> Result:
        """Publish a frame and return its result."""
        ticket = self.publish(camera, **facts)
        assert ticket.wait(seconds), f"no result for {camera} within {seconds} s"
        assert ticket.result is not None, ticket.state
        return ticket.result

    def wait_until_in_redis(self, camera: str = "cam1") -> None:
        """Wait until a frame of the camera stands there: it is owed from before it is written."""
        with redis.Redis.from_url(self._url) as client:
            wait_until(
                "it in Redis",
                lambda: (
                    self.bus.outstanding
                    and any(client.scan_iter(f"framepost:{{{camera}}}:frame*", count=1000))
                ),
            )

    def camera(self, name: str = "cam1") -> Camera:
        camera = self.hub.get(name)
        assert camera is not None
        return camera

    def books(self, name: str = "cam1") -> Books:
        return self.camera(name).books()

    def close(self) -> None:
        self.hub.close()
        self.bus.stop()


class WorkerEnd:
    """A worker's hooks and its end of the bus."""

    def __init__(self, url: str, hook: str, **settings: Any) -> None:
        self.bus = Bus(url, beat=0.1)
        settings = {"isolation": "thread"} | settings
        self.runner = Runner(self.bus.feeds, [HookSpec.parse(hook)], **settings)
        self.bus.tell_of(self.runner.status, timeout=settings.get("timeout", 10.0))
        self.bus.start()
        self.runner.start()

    def close(self) -> None:
        self.runner.stop()
        self.bus.stop()


class Stage:
    """Makes both, and ends them all."""

    def __init__(self, url: str, folder: Path, make_frame: MakeFrame) -> None:
        self.url = url
        self.folder = folder
        self._make_frame = make_frame
        self._ends: list[ReceiverEnd | WorkerEnd] = []

    def receiver(self) -> ReceiverEnd:
        end = ReceiverEnd(self.url, self._make_frame)
        self._ends.append(end)
        wait_until("the receiver on the bus", lambda: end.bus.members.me in end.bus.members.all)
        return end

    def worker(
        self, text: str, hook: str = "process", *, camera: str = "", **settings: Any
    ) -> WorkerEnd:
        """Start a worker that runs what `text` calls `hook`, for one camera if given."""
        path = self.folder / f"{camera or 'any'}_hook.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        # By its path, for in one process a module's name is taken for good.
        end = WorkerEnd(self.url, f"{camera}{'=' * bool(camera)}{path}:{hook}", **settings)
        self._ends.append(end)
        wait_until("the hook", lambda: end.runner.ready)
        return end

    def meet(self, receiver: ReceiverEnd, workers: int, ready: bool = True) -> None:
        """Wait until the receiver knows of so many workers."""
        states = ("ready", "busy") if ready else ("ready", "busy", "starting", "failed")

        def known() -> bool:
            return sum(hook["state"] in states for hook in receiver.bus.hooks()) == workers

        wait_until(f"{workers} workers", known)

    def hold(self, camera: str) -> Callable[[], None]:
        """Make the patient hook wait with that camera's frames; return what lets it go on."""
        path = self.folder / f"{camera}.wait"
        path.touch()
        return path.unlink

    def close(self) -> None:
        """End all of them at once, for each has waits of its own to end."""
        with ThreadPoolExecutor(len(self._ends) or 1) as pool:
            list(pool.map(lambda end: end.close(), self._ends))


def closes(books: Books) -> bool:
    done = books.processed + books.superseded + books.failed + books.waiting
    return books.received == done
