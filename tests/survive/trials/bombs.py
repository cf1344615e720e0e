"""Bombs: a small body that claims, or unpacks to, much costs no more than its bytes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import requests

from receiver import formats
from shared import jpeg
from shared.errors import FrameError
from tests.survive import bombs
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial

_MB = 1 << 20


def refused(run: Run) -> Figures:
    """Look at each in this process, for its CPU; then post all, and a hundred at once."""
    size = (1 if run.quick else 15) * _MB
    pictures = bombs.refused(size)
    if run.disarmed:
        limits = jpeg.MAX_SEGMENTS, jpeg.MAX_PIXELS, jpeg.MAX_SIDE
        jpeg.MAX_SEGMENTS, jpeg.MAX_PIXELS, jpeg.MAX_SIDE = 1 << 40, 1 << 40, 1 << 40
    try:
        slowest, name = max((_cost(run, name, data), name) for name, data in pictures.items())
    finally:
        if run.disarmed:
            jpeg.MAX_SEGMENTS, jpeg.MAX_PIXELS, jpeg.MAX_SIDE = limits
    with receiver(run, "no-limits-of-pictures") as served:
        serving = psutil.Process(served.pid).children()[0]

        def post(data: bytes) -> int:
            reply = requests.post(
                f"{served.url}/cameras/bomb/frames", data, headers=_TYPE, timeout=60
            )
            return reply.status_code

        small = [data for data in pictures.values() if len(data) < _MB]
        large = [data for data in pictures.values() if len(data) >= _MB]
        for data in (*small, *large[:2]):
            post(data)  # what is fetched once is no growth
        before = serving.memory_info().rss
        with _Peak(serving) as peak, ThreadPoolExecutor(100) as pool:
            statuses = list(pool.map(post, (small * 100)[:100]))
            growth = (peak.rss - before) / _MB
        with ThreadPoolExecutor(2) as pool:
            statuses += pool.map(post, large)
        health = requests.get(f"{served.url}/healthz", timeout=30).status_code
    others = {status for status in statuses if not 400 <= status < 500}
    run.check(not others, f"some were answered {others}")
    run.check(growth < 50, f"a hundred at once cost {growth:.0f} MB, expected less than 50")
    run.check(health == 200, f"/healthz answered {health} afterwards")
    return {
        "bombs": len(pictures),
        "cpu_ms_most": round(slowest * 1000, 1),
        "cpu_most_of": name,
        "growth_mb_of_100_at_once": round(growth, 1),
    }


def decoded(run: Run) -> Figures:
    """Post what is within the limits to a hook that decodes, and look at it."""
    source = "def process(frame):\n    return list(frame.image.shape)\n"
    (run.folder / "decoding.py").write_text(source, encoding="utf-8")
    arguments = ["--hook", "decoding", "--hook-path", str(run.folder), "--hook-timeout", "10"]
    figures: Figures = {}
    slowest = 0.0
    with receiver(run, "no-limits-of-pictures", *arguments) as served:
        served.wait_for("is ready")
        whole = psutil.Process(served.pid)
        serving = whole.children()[0]
        hook = next(one for one in whole.children(recursive=True) if one.pid != serving.pid)
        with _Peak(hook) as peak, _Peak(serving) as shown:
            before = peak.rss, shown.rss
            for name, data in bombs.taken().items():
                if run.quick and name not in _QUICK:
                    continue
                started = sum(hook.cpu_times()[:2]) + sum(serving.cpu_times()[:2])
                reply = requests.post(
                    f"{served.url}/cameras/{name.replace('^', '')}/frames",
                    data,
                    headers={**_TYPE, "Prefer": "wait=30"},
                    timeout=60,
                )
                run.check(reply.status_code in (200, 500), f"{name}: {reply.status_code}")
                view = requests.get(
                    f"{served.url}/cameras/{name}/frame.jpg?width=64", timeout=60
                ).status_code
                run.check(view in (200, 422, 503), f"{name}: a view of it was answered {view}")
                cost = sum(hook.cpu_times()[:2]) + sum(serving.cpu_times()[:2]) - started
                run.check(cost < 5, f"{name} cost {cost:.1f} s of CPU, expected less than 5")
                slowest = max(slowest, cost)
            figures["hook_mb"] = round((peak.rss - before[0]) / _MB)
            figures["view_mb"] = round((shown.rss - before[1]) / _MB)
        run.check(hook.is_running(), "the hook's process died")
    run.check(int(figures["hook_mb"]) < 450, f"the hook's process grew {figures['hook_mb']} MB")
    return {**figures, "cpu_s_most": round(slowest, 2)}


_QUICK = ("jpeg-8k-claimed", "png-pixels-beyond", "webp-8k")
_TYPE = {"Content-Type": "image/jpeg"}


class _Peak:
    """The most memory that a process had while this was open."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.rss: int = process.memory_info().rss
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.01) and self._process.is_running():
            self.rss = max(self.rss, self._process.memory_info().rss)


def _cost(run: Run, name: str, data: bytes) -> float:
    """Return the seconds of CPU that looking at `data` takes, the best of three."""
    took = []
    for _ in range(3):
        started = time.thread_time()
        try:
            formats.inspect(data)
        except FrameError as exc:
            run.check(400 <= exc.status < 500, f"{name}: {exc.status}")
        else:
            run.check(False, f"{name} was taken for a picture")
        took.append(time.thread_time() - started)
    run.check(min(took) < 0.05, f"{name} cost {min(took) * 1000:.0f} ms of CPU, not less than 50")
    return min(took)


TRIALS = [
    Trial(
        "bombs",
        "37 bodies that claim or hide much, of up to 15 MB, are 4xx, each for less than 50 ms of"
        " CPU, and a hundred at once for less than 50 MB",
        refused,
        disarm="the limits of a JPEG's sides, pixels and segments",
        disarm_quick=True,
    ),
    Trial(
        "bombs-decoded",
        "what passes the limits costs a hook that decodes it, and a view, less than 5 s of CPU and"
        " the hook's process less than 450 MB",
        decoded,
        disarm="the limit of what a PNG may unpack to",
    ),
]
