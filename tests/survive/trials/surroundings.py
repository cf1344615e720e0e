"""Surroundings: clocks that are set, and a Redis that goes away, while frames are on their way."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from tests.redis_server import RedisServer
from tests.survive.line import Line
from tests.survive.trial import Figures, Run, Trial, Unable
from tests.test_clocks import Clock

_HOUR = 3600.0
_STEPS = (_HOUR, -_HOUR, 0.0)
#: Frames that the receiver may be at work on when its clock is set.
_UNDER_WAY = 1
#: On a machine that does other things besides, as that of a short run may.
_BUSY = 20.0


def clocks_set(run: Run) -> Figures:
    """Set the sender's clock, then the receiver's, by an hour, forth and back."""
    library = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise Unable("libfaketime is missing; apt-get install faketime")
    clocks = tuple(Clock(library, run.folder / f"clock{number}") for number in range(2))
    for clock in clocks:
        clock.set(0.0)
    patch = "set-clock-no-offset" if run.disarmed else "set-clock"
    envs = (clocks[0].environment, {"FRAMEPOST_CLOCK": str(run.folder / "clock1")})
    # A hook's process would have a clock of its own.
    receiver = ("--isolation", "thread")
    with Line(run, envs=envs, receiver=receiver, receiver_patch=patch) as line:
        line.wait_for_frames(10)
        for clock in clocks:
            for ahead in _STEPS:
                clock.set(ahead)
                # What was on its way just then may be by either clock.
                line.wait_for_frames(5)
                time.sleep(0.5 if run.quick else 10)
                line.wait_for_frames(5)
        # Nobody can tell what was under way from a clock that went back, for some seconds.
        if not run.disarmed:
            line.wait_until("the clocks to be known", lambda: _is_right(line.seen()["clock"]))
        sent, known = line.sent(), line.seen()["clock"]
        books = line.end()
    ages = sorted(row.age for row in line.rows())
    run.check(ages[0] >= 0, f"the hook was told of an age of {ages[0]:.3f} s")
    right = [age for age in ages if age < (_BUSY if run.quick else 1.0)]
    wrong = len(ages) - len(right)
    run.check(
        wrong <= (2 if run.quick else _UNDER_WAY) * len(_STEPS),
        f"the hook was told of {wrong} wrong ages of {len(ages)}, up to {ages[-1]:.3f} s",
    )
    run.check(not sent["failed"] and not sent["reconnects"], f"a time-out fired: {sent}")
    return {
        "frames": len(ages),
        "ages_wrong_under_way": wrong,
        "oldest_age_ms": round(right[-1] * 1000),
        "offset_ms": known["offset_ms"],
        "offset_error_ms": known["error_ms"],
        "failed": books["failed"],
    }


def _is_right(known: dict[str, float]) -> bool:
    """Say whether the two clocks, which are the same again, are taken for that."""
    return abs(known["offset_ms"]) <= known["error_ms"] + 0.02


def redis_gone(run: Run) -> Figures:
    """Kill the bus of a receiver, stop it, and fill it, while frames come."""
    if shutil.which("redis-server") is None:
        raise Unable("redis-server is missing; apt-get install redis-server")
    seconds = 1.0 if run.quick else 20.0
    figures: Figures = {}
    with (
        RedisServer(maxmemory="16mb") as server,
        Line(run, receiver=("--bus", server.url)) as line,
    ):
        client = server.client()
        line.wait_for_frames(5)
        held = line.holdings()

        def try_out(name: str, begin: Callable[[], None], end: Callable[[], None]) -> None:
            begin()
            try:
                time.sleep(seconds)
            finally:
                end()
            moment = time.time()
            back = line.wait_for_frame_of(moment, _BUSY).at - moment
            most = _BUSY if run.quick else 5
            run.check(back <= most, f"{name}: a frame was at the hook {back:.1f} s after it")
            figures[f"back_after_{name}_seconds"] = round(back, 2)
            line.wait_for_frames(5)

        def fill() -> None:
            for size in (100_000, 1000):
                with suppress(redis.OutOfMemoryError):
                    while True:
                        client.rpush("others", b"x" * size)

        def free() -> None:
            client.delete("others")

        try_out("killed", server.stop, server.start)
        try_out("stopped", server.pause, server.resume)
        try_out("full", fill, free)
        line.check_back(held)
        sent = line.sent()
        line.end(bus=True)
    asked = sent["posted"] + sum(sent["refused"].values()) + sum(sent["failed"].values())
    share = sent["posted"] / asked
    run.check(share >= 0.99, f"{share:.1%} of the posts got 2xx, expected 99 %: {sent}")
    return {"share_2xx": round(share, 4), "posts": asked, **figures}


TRIALS = [
    Trial(
        "clocks-set",
        "while the sender's and the receiver's clock is set by an hour, forth and back, the hook is"
        " told right ages, below 1 s and never negative, but for one that the receiver is at work"
        " on when its own is set, and no time-out fires",
        clocks_set,
        disarm="what the receiver knows of the sender's clock",
    ),
    Trial(
        "redis-gone",
        "a Redis that is killed, stopped or full while it is the bus costs no post its 2xx, and"
        " frames are at the hook again within 5 s after it",
        redis_gone,
    ),
]
