"""Network: what happens between a sender and a receiver, and what it must not do to them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import psutil

from tests.chaos.proxy import ChaosProxy
from tests.chaos.toxics import Bandwidth
from tests.survive.island import Island
from tests.survive.line import Line
from tests.survive.trial import Figures, Run, Trial

_FPS = 10
#: On a machine that does other things besides, as that of a short run may.
_BUSY = 20.0


def receiver_stopped(run: Run) -> Figures:
    """Stop every process of the receiver for a while, and let it go on."""
    gap = 3.0 if run.quick else 30.0
    patch = "queue" if run.disarmed else ""
    with Line(run, fps=_FPS, frame_bytes=100_000, patch=patch) as line:
        line.wait_for_frames(10)
        held = line.holdings()
        memory = most = _memory(line.sender.pid)
        line.signal_receiver(signal.SIGSTOP)
        stopped = time.time()
        try:
            while time.time() < stopped + gap:
                time.sleep(0.1)
                most = max(most, _memory(line.sender.pid))
        finally:
            line.signal_receiver(signal.SIGCONT)
        went_on = time.time()
        line.wait_until("a frame after it", lambda: any(r.at > went_on for r in line.rows()), _BUSY)
        first = next(row for row in line.rows() if row.at > went_on and row.captured_at > stopped)
        line.wait_for_frames(10)
        superseded = line.sent()["superseded"]
        line.check_back(held)
        line.end()
    growth = (most - memory) / 1e6
    run.check(growth < 20, f"the sender's memory grew by {growth:.1f} MB, expected less than 20")
    age = first.true_age
    run.check(age < 1, f"the first frame after it was {age:.2f} s old, expected less than 1 s")
    run.check(
        superseded >= gap * _FPS * 0.7,
        f"{superseded} frames were superseded, expected about {gap * _FPS:.0f}",
    )
    return {
        "seconds_stopped": gap,
        "memory_growth_mb": round(growth, 1),
        "first_age_ms": round(age * 1000),
        "superseded": superseded,
    }


def black_hole(run: Run) -> Figures:
    """Let a proxy between the two take everything and forward nothing."""
    patch = "no-deadline" if run.disarmed else ""
    with Line(run, proxy=ChaosProxy, sender=_deadline(run), patch=patch) as line:
        assert line.proxy is not None
        return _outage(run, line, line.proxy.black_hole, line.proxy.clear)


def dropped(run: Run) -> Figures:
    """Let the kernel drop every packet between two network namespaces."""
    patch = "no-deadline" if run.disarmed else ""
    with (
        Island() as island,
        Line(run, island=island, sender=_deadline(run), patch=patch) as line,
    ):
        return _outage(run, line, lambda: island.drop(line.port), island.mend)


def refused(run: Run) -> Figures:
    """Let the kernel answer every packet with a reset."""
    with Island() as island, Line(run, island=island, sender=_deadline(run)) as line:
        return _outage(run, line, lambda: island.reset(line.port), island.mend)


def _deadline(run: Run) -> tuple[str, ...]:
    return ("--deadline", "1") if run.quick else ()


def _outage(run: Run, line: Line, begin: Callable[[], None], end: Callable[[], None]) -> Figures:
    seconds, deadline = (2.0, 1.0) if run.quick else (30.0, 5.0)
    line.wait_for_frames(10)
    if not run.disarmed:
        # What waits comes at once, and the receiver keeps the threads that it makes for that.
        begin()
        time.sleep(seconds)
        end()
        line.wait_for_frames(10)
    held = line.holdings()
    before = sum(line.sent()["failed"].values())
    begin()
    began = time.monotonic()
    most = deadline * 1.1 + (_BUSY if run.quick else 0.5)
    if run.disarmed:
        most = deadline * 1.1 + 1
    line.wait_until(
        "the sender to notice", lambda: sum(line.sent()["failed"].values()) > before, most
    )
    noticed = time.monotonic() - began
    time.sleep(max(0.0, seconds - noticed))
    ended = time.time()
    end()
    first = line.wait_for_frame_of(ended, _BUSY if run.quick else 10)
    line.wait_for_frames(20)
    line.check_back(held)
    books = line.end()
    back = first.at - ended
    run.check(back <= (_BUSY if run.quick else 2), f"the first frame came {back:.2f} s after it")
    return {
        "seconds_out": seconds,
        "noticed_seconds": round(noticed, 2),
        "first_frame_after_seconds": round(back, 2),
        "failed": books["failed"],
        "superseded": books["superseded"],
    }


def lossy(run: Run) -> Figures:
    """Lose one packet in twenty, each way."""
    with Island() as island, Line(run, island=island, frame_bytes=20_000) as line:
        line.wait_for_frames(5)
        island.lose(line.port, 0.05)
        began = time.time()
        time.sleep(2.5 if run.quick else 60)
        ages = [row.true_age for row in line.rows() if row.captured_at > began]
        lost = island.lost()
        island.mend()
        line.wait_for_frames(10)
        line.end()
    run.check(bool(ages), "no frame came")
    run.check(lost > 0, "no packet was lost")
    p99 = _p99(ages)
    if not run.quick:
        run.check(p99 <= 2, f"99 % of the frames were younger than {p99:.2f} s, expected 2 s")
    return {"packets_lost": lost, "frames": len(ages), "p99_age_ms": round(p99 * 1000)}


def narrow_proxy(run: Run) -> Figures:
    """10 frames of 100 kB a second into 2 Mbit/s: a quarter of it fits."""
    line = Line(
        run,
        proxy=lambda port: ChaosProxy(port, up=[Bandwidth(250_000)]),
        frame_bytes=100_000,
        patch="queue" if run.disarmed else "",
    )
    with line:
        return _shed(run, line)


def narrow_wire(run: Run) -> Figures:
    """The same by the kernel's token bucket."""
    with Island() as island:
        island.narrow("2mbit")
        patch = "queue" if run.disarmed else ""
        with Line(run, island=island, frame_bytes=100_000, patch=patch) as line:
            return _shed(run, line)


def _shed(run: Run, line: Line) -> Figures:
    line.wait_for_frames(1)
    began = time.time()
    time.sleep(6 if run.disarmed else 3 if run.quick else 60)
    rows = [row for row in line.rows() if row.at > began]
    sent = line.sent()
    if not run.disarmed:
        line.end()
    run.check(len(rows) >= 2, f"{len(rows)} frames came")
    ages = [row.true_age for row in rows]
    p99 = _p99(ages)
    run.check(p99 <= 2, f"99 % of the frames were younger than {p99:.2f} s, expected 2 s")
    run.check(sent["superseded"] > sent["posted"], f"too few were shed: {sent}")
    return {
        "frames": len(rows),
        "p99_age_ms": round(p99 * 1000),
        "oldest_age_ms": round(max(ages) * 1000),
        "captured": sent["captured"],
        "superseded": sent["superseded"],
    }


def _p99(ages: list[float]) -> float:
    return sorted(ages)[min(len(ages) - 1, int(len(ages) * 0.99))]


def _memory(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


TRIALS = [
    Trial(
        "receiver-stopped",
        "a receiver that stands still for 30 s costs the sender less than 20 MB, and the first"
        " frame after it is less than 1 s old",
        receiver_stopped,
        disarm="the sender's slot is a queue",
    ),
    Trial(
        "network-black-hole",
        "a line that swallows everything for 30 s is noticed within the deadline of 5 s, frames"
        " come again within 2 s after it, and nothing is left over",
        black_hole,
        disarm="the sender's deadline",
    ),
    Trial(
        "network-dropped",
        "as network-black-hole, where the kernel drops every packet",
        dropped,
        disarm="the sender's deadline",
    ),
    Trial(
        "network-refused",
        "as network-black-hole, where the kernel answers every packet with a reset",
        refused,
    ),
    Trial(
        "network-lossy",
        "with 5 % of all packets lost each way, 99 % of the frames at the hook are younger than"
        " 2 s",
        lossy,
    ),
    Trial(
        "network-narrow",
        "of 10 frames of 100 kB a second over 2 Mbit/s most are shed, and 99 % of those at the hook"
        " are younger than 2 s",
        narrow_proxy,
        disarm="the sender's slot is a queue",
    ),
    Trial(
        "network-narrow-wire",
        "as network-narrow, where the kernel's token bucket is the line",
        narrow_wire,
        disarm="the sender's slot is a queue",
    ),
]
