"""Slow clients: who sends or reads slowly, or not at all, keeps nobody out and is ended."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from contextlib import suppress

import numpy as np
import psutil
import requests

from receiver import connections
from shared import codec, pattern
from tests.program import Receiver
from tests.survive.crowd import Crowd
from tests.survive.receivers import Disarmed
from tests.survive.trial import Figures, Run, Trial

_JPEG = codec.encode(pattern.draw(1, 640, 360), 80)
_LENGTH = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n" % len(_JPEG)
_HEAD = b"POST /cameras/slow/frames HTTP/1.1\r\nHost: x\r\n"
_VIEW = b"GET /cameras/normal0/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n"
#: What the patch `short-patience` makes of it.
_SHORT = 4.0
_SENDERS, _FPS = 10, 5
#: Pictures of 436 kB, which is large for one of 1280x720.
_HELD = 3


class _Normal:
    """Senders as they should be, and somebody who asks how the receiver is."""

    def __init__(self, port: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.health: list[float] = []
        self._port = port
        self._stop = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._send, args=(n,)) for n in range(_SENDERS)),
            threading.Thread(target=self._ask),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        while not self._stop.wait(1 / _FPS):
            try:
                line.request(
                    "POST",
                    f"/cameras/normal{number}/frames",
                    _JPEG,
                    {"Content-Type": "image/jpeg"},
                )
                reply = line.getresponse()
                reply.read()
                self.statuses[reply.status] += 1
            except (OSError, http.client.HTTPException):
                self.statuses[0] += 1
                line.close()
        line.close()

    def _ask(self) -> None:
        while not self._stop.wait(0.1):
            started = time.monotonic()
            with suppress(OSError):
                requests.get(f"http://127.0.0.1:{self._port}/healthz", timeout=5)
            self.health.append(time.monotonic() - started)


def slow(run: Run) -> Figures:
    """Let normal senders work beside hundreds of clients who hardly do anything."""
    many = 40 if run.quick else 200
    patience = _SHORT if run.quick else connections.PATIENCE
    pause = 1.0 if run.quick else connections.PAUSE
    # It is told to end at a look, and cut off at the next.
    latest = patience + 2 * pause + (10 if run.quick else 5)
    with _receiver(run) as receiver, Crowd(receiver.port) as crowd:
        normal = _Normal(receiver.port)
        try:
            _wait_for_camera(receiver)
            crowd.add("heads", many, _HEAD, drip=b"X-A: 1\r\n")
            crowd.add("bodies", many, _HEAD + _LENGTH + b"\r\n" + _JPEG[:100], drip=b"\x55")
            crowd.add("idle", many * 3 // 4, b"")
            crowd.hold(5, _VIEW)
            crowd.start()
            opened = time.monotonic()
            viewers = -1
            while time.monotonic() - opened < latest and (viewers or not _all_ended(crowd, many)):
                time.sleep(0.5)
                viewers = _viewers(receiver)
            left = {kind: count - len(crowd.ended[kind]) for kind, count in _kinds(many).items()}
        finally:
            normal.stop()
    total = normal.statuses.total()
    share = normal.statuses[202] / total
    health = sorted(normal.health)[int(len(normal.health) * 0.99)]
    # On a machine that is busy with other things a short run says little of time.
    run.check(share >= 0.99, f"{share:.2%} of normal posts were taken: {dict(normal.statuses)}")
    run.check(
        health < (3.0 if run.quick else 0.5), f"/healthz took {health:.2f} s at its 99th percentile"
    )
    run.check(not any(left.values()), f"after {latest:.0f} s there are still {left}")
    run.check(viewers == 0, f"{viewers} viewers who never read still hold their places")
    return {
        "normal_posts": total,
        "normal_share_2xx": round(share, 4),
        "healthz_p99_s": round(health, 3),
        **{f"{kind}_ended_after_s": round(max(at), 1) for kind, at in crowd.ended.items()},
    }


def stuck(run: Run) -> Figures:
    """Open twenty views of large pictures and read nothing of them."""
    noise = np.random.default_rng(run.seed).integers(0, 256, (720, 1280, 3), np.uint8)
    picture = codec.encode(noise, 60)
    viewers = 20
    program = Disarmed("whole-pictures") if run.disarmed else Receiver()
    with program as receiver, Crowd(receiver.port) as crowd:
        serving = psutil.Process(receiver.pid).children()[0]

        def show(pictures: int) -> int:
            for _ in range(pictures):
                url = f"{receiver.url}/cameras/normal0/frames"
                assert requests.post(url, picture, timeout=30).status_code == 202
                time.sleep(0.02)
            return int(serving.memory_info().rss)

        before = show(30)
        crowd.hold(viewers, _VIEW)
        first = show(40 if run.quick else 200)
        then = show(20 if run.quick else 1000)
    each = (first - before) / viewers / len(picture)
    more = (then - first) / viewers / len(picture)
    run.check(
        each < _HELD, f"a viewer who never reads held {each:.1f} pictures, expected less than 3"
    )
    run.check(more < 1, f"it held {more:.1f} pictures more later, expected no growth")
    return {"pictures_held_each": round(each, 1), "pictures_more_later": round(more, 2)}


def _receiver(run: Run) -> Receiver:
    if run.disarmed:
        return Disarmed("few-threads", "--max-viewers", "8")
    return Disarmed("short-patience") if run.quick else Receiver()


def _viewers(receiver: Receiver) -> int:
    """Return how many there are, -1 where nobody answers."""
    try:
        return int(requests.get(f"{receiver.url}/cameras/normal0", timeout=5).json()["viewers"])
    except OSError:
        return -1


def _kinds(many: int) -> dict[str, int]:
    return {"heads": many, "bodies": many, "idle": many * 3 // 4}


def _all_ended(crowd: Crowd, many: int) -> bool:
    return all(len(crowd.ended[kind]) == count for kind, count in _kinds(many).items())


def _wait_for_camera(receiver: Receiver) -> None:
    deadline = time.monotonic() + 30
    while not requests.get(f"{receiver.url}/cameras/normal0", timeout=30).ok:
        assert time.monotonic() < deadline, "no camera"
        time.sleep(0.05)


TRIALS = [
    Trial(
        "slow-clients",
        "beside 200 slow heads, 200 slow bodies, 150 idle connections and 5 viewers who never read"
        " ten senders get 2xx for at least 99 % of their posts, /healthz takes less than 0.5 s at"
        " its 99th percentile, and the slow ones are ended within 110 s",
        slow,
        disarm="the number of threads, 512: 32 are left; and the look after connections",
    ),
    Trial(
        "stuck-viewers",
        "a viewer who never reads costs less than 3 large pictures of memory, for however long",
        stuck,
        disarm="small pieces: each picture goes to the server in one",
        disarm_quick=True,
    ),
]
