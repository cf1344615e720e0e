"""Manners: what many senders do to a receiver that was away."""

from __future__ import annotations

import itertools
import logging
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import psutil

from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.picture import JpegPicture
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.turn import Turn
from shared import codec, pattern
from shared.backoff import Backoff
from shared.http_client import HttpClient, Reply
from shared.latest import Latest
from tests.program import Receiver
from tests.survive.trial import Figures, Run, Trial

_SENDERS = 50
_FPS = 5
_PICTURE = JpegPicture.read(codec.encode(pattern.draw(1, 64, 48), 50))
#: For what a busy machine may take long over.
_PATIENCE = 60.0


class _Even(random.Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return b


class _Noting(HttpClient):
    """Notes when it asked, and when it was answered."""

    asked: list[float]
    answered: list[float]

    def post(self, *arguments: object, **more: object) -> Reply:
        self.asked.append(time.monotonic())
        reply = super().post(*arguments, **more)  # type: ignore[arg-type]
        self.answered.append(time.monotonic())
        return reply


class _Crowd:
    """Fifty cameras' posters, each a thread with a connection of its own, and who feeds them."""

    def __init__(self, port: int, backoff: Callable[[], Backoff | None]) -> None:
        self.asked: list[float] = []
        self.answered: list[float] = []
        self._end = threading.Event()
        self._slots: list[Latest[CapturedFrame]] = []
        self._posters: list[Poster] = []
        self.ledgers: list[Ledger] = []
        for number in range(_SENDERS):
            slot: Latest[CapturedFrame] = Latest()
            place = slot.reader()
            client = _Noting("127.0.0.1", port)
            client.asked, client.answered = self.asked, self.answered
            camera = f"cam{number}"
            self.ledgers.append(Ledger(place))
            self._posters.append(
                Poster(
                    *(camera, place, client),
                    endpoint=Endpoint.parse(f"http://127.0.0.1:{port}", camera),
                    ledger=self.ledgers[-1],
                    turn=Turn(backoff=backoff()),
                )
            )
            self._slots.append(slot)
        self._feeder = threading.Thread(target=self._feed, name="feeder")

    def __enter__(self) -> _Crowd:
        for poster in self._posters:
            poster.start()
        self._feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._feeder.join()
        for slot in self._slots:
            slot.close()
        for poster in self._posters:
            poster.ask_to_stop()
        for poster in self._posters:
            poster.stop(30.0)

    def _feed(self) -> None:
        begun = time.monotonic()
        for number in itertools.count():
            left = begun + number / (_FPS * _SENDERS) - time.monotonic()
            if self._end.wait(max(0.0, left)):
                return
            seq, which = divmod(number, _SENDERS)
            self._slots[which].put(
                CapturedFrame(
                    camera=f"cam{which}",
                    epoch="e",
                    seq=seq,
                    captured=time.monotonic(),
                    picture=_PICTURE,
                )
            )

    def posted(self) -> int:
        return sum(ledger.books().posted for ledger in self.ledgers)


def come_back(run: Run) -> Figures:
    """Let a receiver stand still until all wait for it, kill it, and start it anew."""
    seconds, steady_for = (3.0, 2.0) if run.quick else (20.0, 5.0)
    even = _Even()

    def backoff() -> Backoff | None:
        return Backoff(0.1, 1.0, rng=even) if run.disarmed else None

    with ExitStack() as stack:
        stack.callback(logging.getLogger("sender").setLevel, logging.NOTSET)
        logging.getLogger("sender").setLevel(logging.ERROR)  # fifty would tell of the outage
        receiver = stack.enter_context(Receiver())
        crowd = stack.enter_context(_Crowd(receiver.port, backoff))
        _wait_until("all to be taken", lambda: crowd.posted() >= 2 * _SENDERS)
        begun, before = time.monotonic(), len(crowd.asked)
        time.sleep(steady_for)
        steady = (len(crowd.asked) - before) / (time.monotonic() - begun)
        processes = [psutil.Process(receiver.pid), *psutil.Process(receiver.pid).children(True)]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)  # now each has a request that waits, and all are ended at the same moment
        for process in processes:
            process.kill()
        receiver.wait()
        killed = time.monotonic()
        time.sleep(seconds)
        stack.enter_context(Receiver(port=receiver.port))
        _wait_until("the first one back", lambda: crowd.answered[-1] > killed)
        time.sleep(2.0)
        back = next(at for at in crowd.answered if at > killed)
        asked = [at - back for at in crowd.asked]
    first = [at for at in asked if 0 <= at < 1]
    bins = Counter(int(at * 10) for at in first)
    largest = max(bins.values()) / steady
    run.check(
        len(first) < 2 * steady,
        f"{len(first)} requests came in the first second, expected less than {2 * steady:.0f}",
    )
    # In a short run, on a machine that does other things besides, threads wait for each other.
    run.check(
        run.quick or largest < 0.15,
        f"{largest:.0%} of a steady second's requests came in a tenth, expected less than 15 %",
    )
    return {
        "senders": _SENDERS,
        "steady_per_second": round(steady),
        "first_second": len(first),
        "largest_tenth_percent": round(largest * 100, 1),
    }


def _wait_until(what: str, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {_PATIENCE:g} s in vain for {what}"
        time.sleep(0.005)


TRIALS = [
    Trial(
        "come-back",
        "50 senders whose receiver was away for 20 s send it less than twice their steady rate in"
        " its first second, and no tenth of that brings 15 % of a steady second's requests",
        come_back,
        disarm="the jitter of the senders' pauses",
    ),
]
