"""Real receivers and workers, and what a worker's sudden death does to frames."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.conftest import MakeFrame
from tests.program import Program, Receiver
from tests.receiver.bench import wait_until
from tests.redis_server import RedisServer
from tests.sse import EventStream

#: How often a worker is killed; CI has less time than `FRAMEPOST_KILLS=20 pytest` takes.
KILLS = int(os.environ.get("FRAMEPOST_KILLS", "4"))
_HOOK = """
import time

class Tracker:
    stateful = True

    def setup(self):
        self.seen = {}

    def process(self, frame):
        time.sleep(0.004)
        self.seen[frame.camera] = self.seen.get(frame.camera, 0) + 1
        return self.seen[frame.camera]

def process(frame):
    time.sleep(0.004)
    return frame.seq
"""


class Worker(Program):
    """A worker on a bus, its health on a free port."""

    def __init__(self, url: str, folder: Path, hook: str) -> None:
        super().__init__(
            *("receiver.worker", "--bus", url, "--port", "0", "--hook-path", str(folder)),
            *("--hook", hook),
        )

    def kill(self) -> None:
        """End it without a word, and with it, as the kernel does, its hook."""
        for process in [
            *psutil.Process(self.pid).children(recursive=True),
            psutil.Process(self.pid),
        ]:
            process.kill()
        self.wait()


class Fleet:
    """Two receivers, some workers, and cameras that post as fast as they are told."""

    def __init__(self, url: str, folder: Path, hook: str, make_frame: MakeFrame) -> None:
        self._url, self._folder, self._hook = url, folder, hook
        self._make_frame = make_frame
        self._stack = ExitStack()
        self.receivers = [self._stack.enter_context(Receiver("--bus", url)) for _ in range(2)]
        self.workers: list[Worker] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stack.callback(self.stop)

    def start_worker(self) -> Worker:
        worker = self._stack.enter_context(Worker(self._url, self._folder, self._hook))
        self.workers.append(worker)
        return worker

    def replace_worker(self) -> None:
        """Kill the oldest one; return when its successor is ready."""
        self.workers.pop(0).kill()
        self.start_worker().wait_for("is ready")

    def wait_for_workers(self, count: int) -> None:
        def there() -> bool:
            hooks = self.get(0, "/hooks")["hooks"]
            return sum(hook["state"] in ("ready", "busy") for hook in hooks) == count

        wait_until(f"{count} workers", there, seconds=30)

    def get(self, receiver: int, route: str) -> Any:
        answer = requests.get(self.receivers[receiver].url + route, timeout=30)
        return answer.json()

    def run(self, cameras: int, fps: float) -> None:
        """Post frames of so many cameras, each to one of the receivers."""
        for number in range(cameras):
            thread = threading.Thread(target=self._post, args=(number, 1 / fps), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._threads.clear()

    def _post(self, number: int, pause: float) -> None:
        data = self._make_frame(0).data
        url = f"{self.receivers[number % 2].url}/cameras/cam{number}/frames"
        headers = {"Content-Type": "image/jpeg", "X-Frame-Epoch": "e"}
        with requests.Session() as session:
            seq = 0
            while not self._stop.wait(pause):
                session.post(url, data, headers=headers | {"X-Frame-Seq": str(seq)}, timeout=30)
                seq += 1

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fleet_hook.py").write_text(_HOOK, encoding="utf-8")
    return tmp_path


class Told:
    """What one receiver tells of all results, with the moment at which it came."""

    def __init__(self, receiver: Receiver) -> None:
        self.results: list[tuple[float, dict[str, Any]]] = []
        self._stream = EventStream(receiver.port)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def of(self, camera: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, told) for at, told in self.results if told["camera"] == camera]

    def wait(self) -> None:
        """Wait for the end, which comes with the receiver's."""
        self._thread.join(30)
        self._stream.__exit__(None, None, None)

    def _read(self) -> None:
        for event in self._stream:
            assert event.kind != "skipped"
            if event.kind == "result":
                self.results.append((time.monotonic(), event.data))


@pytest.fixture
def fleet(
    redis_server: RedisServer, folder: Path, make_frame: MakeFrame, request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    fleet = Fleet(redis_server.url, folder, request.param, make_frame)
    yield fleet
    fleet.close()


def told_under_kills(fleet: Fleet, *, seed: int) -> Told:
    """Return what was told of four cameras while three workers were killed one after the other.

    The books closed in the end.
    """
    rng = random.Random(seed)
    for _ in range(3):
        fleet.start_worker()
    fleet.wait_for_workers(3)
    told = Told(fleet.receivers[1])
    fleet.run(cameras=4, fps=25)
    wait_until("results", lambda: len(told.results) > 40, seconds=20)
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.0, 0.3))  # a moment nobody chose
        fleet.replace_worker()
    fleet.stop()
    wait_until("the books to close", lambda: books_close(fleet), seconds=20)
    fleet.close()
    told.wait()
    return told


def books_close(fleet: Fleet) -> bool:
    """Tell whether, for every camera, both receivers say the same, and it adds up."""
    for camera in fleet.get(0, "/cameras")["cameras"]:
        there = fleet.get(1, f"/cameras/{camera['camera']}")
        for books in (camera, there):
            done = books["processed"] + books["superseded"] + books["failed"] + books["waiting"]
            if books["received"] != done or books["waiting"]:
                return False
        if camera["received"] != there["received"]:
            return False
    return True


@pytest.mark.parametrize("fleet", ["fleet_hook:process"], indirect=True)
def test_two_receivers_and_three_workers_lose_nothing_uncounted(fleet: Fleet) -> None:
    for _ in range(3):
        fleet.start_worker()
    fleet.wait_for_workers(3)
    told = Told(fleet.receivers[1])
    fleet.run(cameras=6, fps=20)
    wait_until(
        "results of all cameras",
        lambda: all(len(told.of(f"cam{number}")) > 20 for number in range(6)),
        seconds=30,
    )

    fleet.stop()

    wait_until("the books to close", lambda: books_close(fleet))
    fleet.close()
    told.wait()


@pytest.mark.parametrize("fleet", ["fleet_hook:process"], indirect=True)
def test_a_receiver_that_stands_still_harms_no_other_and_catches_up(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.start_worker()
    fleet.wait_for_workers(2)
    fleet.run(cameras=2, fps=25)
    still = psutil.Process(fleet.receivers[1].pid)
    processes = [still, *still.children(recursive=True)]
    wait_until("frames of both", lambda: len(fleet.get(0, "/cameras")["cameras"]) == 2)
    before = fleet.get(0, "/cameras/cam0")["processed"]
    for process in processes:
        process.suspend()
    try:
        wait_until(
            "the other's frames",
            lambda: fleet.get(0, "/cameras/cam0")["processed"] > before + 40,
            seconds=15,
        )
    finally:
        for process in processes:
            process.resume()

    before = fleet.get(1, "/cameras/cam1")["processed"]
    wait_until("its own", lambda: fleet.get(1, "/cameras/cam1")["processed"] > before + 10)
    fleet.stop()
    wait_until("the books to close", lambda: books_close(fleet), seconds=15)


@pytest.mark.parametrize("fleet", ["fleet_hook:process"], indirect=True)
def test_no_frame_has_two_results_when_workers_are_killed(fleet: Fleet) -> None:
    told = told_under_kills(fleet, seed=5)

    seen = [(t["camera"], t["epoch"], t["seq"]) for _, t in told.results]
    assert len(seen) == len(set(seen))
    assert len(seen) > 100


@pytest.mark.parametrize("fleet", ["fleet_hook:Tracker"], indirect=True)
def test_cameras_of_killed_workers_go_on_in_order_within_three_seconds(fleet: Fleet) -> None:
    told = told_under_kills(fleet, seed=6)

    for number in range(4):
        results = [(at, t) for at, t in told.of(f"cam{number}") if t["state"] == "processed"]
        numbers = [t["seq"] for _, t in results]
        assert numbers == sorted(set(numbers))
        times = [at for at, _ in results]
        assert max(b - a for a, b in pairwise(times)) < 3.0


def test_a_worker_says_what_it_lacks(folder: Path) -> None:
    with Program("receiver.worker", "--bus", "http://x", "--hook", "fleet_hook") as worker:
        assert worker.wait() == 2
        assert "RECEIVER_BUS: expected redis://" in worker.output
    with Program("receiver.worker", "--bus", "redis://127.0.0.1:1/0") as worker:
        assert worker.wait() == 2
        assert "hook: expected one at least" in worker.output


def test_a_worker_ends_at_once_and_cleanly(redis_server: RedisServer, folder: Path) -> None:
    with Worker(redis_server.url, folder, "fleet_hook:process") as worker:
        worker.wait_for("is ready")
        started = time.monotonic()
        assert worker.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 6
        assert "Traceback" not in worker.output
