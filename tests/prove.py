"""Prove the main line over minutes, with real programs: `make prove`.

Each proof prints what it saw and ends the run with 1 where a promise is not kept. The test suite
runs the same proofs, only shorter.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from tests.chain import Chain


@dataclass(frozen=True, slots=True)
class Variant:
    codec: str = "h264"
    transport: str = "tcp"
    password: str | None = None

    def __str__(self) -> str:
        return f"{self.codec}/{self.transport}" + ("/digest" if self.password else "")


VARIANTS = (
    Variant(),
    Variant(codec="h265"),
    Variant(codec="mjpeg"),
    Variant(transport="udp"),
    Variant(password="s3:cr@t/word"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a run's frames."""

    captured: int
    posted: int
    processed: int
    superseded: int
    failed: int
    waiting: int
    received: int
    illegible: int
    disorder: int
    age_ms: float

    @property
    def share(self) -> float:
        return self.processed / self.captured

    @property
    def books_close(self) -> bool:
        return self.received == self.processed + self.superseded + self.failed + self.waiting


def deliver(variant: Variant, *, seconds: float, size: str = "1280x720", fps: int = 25) -> Delivery:
    """Run camera, sender, receiver and a hook that reads the pixels for `seconds`."""
    with Chain(
        codec=variant.codec,
        transport=variant.transport,
        password=variant.password,
        size=size,
        fps=fps,
    ) as chain:
        chain.wait_for_frames(5)
        time.sleep(seconds)
        assert chain.sender.stop() == 0
        summary = chain.sender.wait_for(r"in all captured=(\d+) posted=(\d+)")
        chain.wait_until("the hook is idle", lambda: chain.seen()["waiting"] == 0)
        seen = chain.seen()
    result = seen["result"]
    return Delivery(
        captured=int(summary[1]),
        posted=int(summary[2]),
        **{n: seen[n] for n in ("received", "processed", "superseded", "failed", "waiting")},
        **{n: result[n] for n in ("illegible", "disorder", "age_ms")},
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from a part's return to the next frame at the hook."""

    camera: float
    receiver: float


def recover(chain: Chain, *, outage: float) -> Recovery:
    """Stop and start the camera, then the receiver, each for `outage` seconds."""
    chain.camera.stop()
    time.sleep(outage)
    before = chain.seen()["processed"]
    chain.start_camera()
    camera = _seconds_until(chain, lambda: chain.seen()["processed"] > before)

    chain.receiver.stop()
    time.sleep(outage)
    chain.start_receiver()
    receiver = _seconds_until(chain, lambda: chain.seen().get("processed", 0) > 0)
    return Recovery(camera, receiver)


def _seconds_until(chain: Chain, condition: Callable[[], bool]) -> float:
    started = time.monotonic()
    chain.wait_until("a new frame at the hook", condition, 30)
    return time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds."""

    threads: int
    sockets: int
    files: int
    children: int


def holdings(pid: int) -> Holdings:
    process = psutil.Process(pid)
    return Holdings(
        threads=process.num_threads(),
        sockets=len(process.net_connections()),
        files=process.num_fds(),
        children=len(process.children(recursive=True)),
    )


def prove_delivery(seconds: float) -> bool:
    good = True
    print(f"{'variant':20} captured processed  share superseded failed  books order age_ms")
    for variant in VARIANTS:
        seen = deliver(variant, seconds=seconds)
        kept = seen.share >= 0.99 and seen.books_close and not (seen.disorder or seen.illegible)
        good = good and kept
        print(
            f"{variant!s:20} {seen.captured:8} {seen.processed:9} {seen.share:6.1%} "
            f"{seen.superseded:10} {seen.failed:6}  {'close' if seen.books_close else 'OPEN':5} "
            f"{'kept' if not seen.disorder else 'BROKEN':5} {seen.age_ms:6.1f}"
            f"{'' if kept else '   FAILED'}",
            flush=True,
        )
    return good


def prove_recovery(cycles: int) -> bool:
    with Chain() as chain:
        chain.wait_for_frames(25)
        long = recover(chain, outage=20)
        print(f"after 20 s: camera back {long.camera:.2f} s, receiver back {long.receiver:.2f} s")
        chain.wait_for_frames(25)
        before = holdings(chain.sender.pid)
        worst = Recovery(0, 0)
        for cycle in range(cycles):
            short = recover(chain, outage=0.5)
            worst = Recovery(max(worst.camera, short.camera), max(worst.receiver, short.receiver))
            print(f"\rcycle {cycle + 1} of {cycles}", end="", file=sys.stderr, flush=True)
        chain.wait_for_frames(25)
        after = holdings(chain.sender.pid)
    print(f"\n{cycles} cycles, worst: camera {worst.camera:.2f} s, receiver {worst.receiver:.2f} s")
    print(f"the sender held before: {before}\nand after:              {after}")
    in_time = max(long.camera, worst.camera) <= 3 and max(long.receiver, worst.receiver) <= 2
    return in_time and before == after


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("proof", nargs="?", choices=["delivery", "recovery", "all"], default="all")
    parser.add_argument("--seconds", type=float, default=60, help="for each way of delivery")
    parser.add_argument("--cycles", type=int, default=20, help="of stop and start")
    arguments = parser.parse_args()
    good = True
    if arguments.proof in ("delivery", "all"):
        good = prove_delivery(arguments.seconds)
    if arguments.proof in ("recovery", "all"):
        good = prove_recovery(arguments.cycles) and good
    print("all promises kept" if good else "a promise was broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
