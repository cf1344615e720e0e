"""Delivery: with `--delivery every` what is captured comes to the hook, whatever dies meanwhile."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.chaos.proxy import ChaosProxy
from tests.chaos.reply_cut import ReplyCut
from tests.sender.doubles import free_port
from tests.survive.spooled import Spooled, disk_use
from tests.survive.trial import Figures, Run, Trial, Unable

_EVERY = ("--delivery", "every")
_LATEST = ("--delivery", "latest")
#: Seconds from a sender's start until its status answers.
_RESTART = 3.0


def receiver_killed(run: Run) -> Figures:
    """Kill the receiver again and again, its hook in the middle of a frame."""
    options = _LATEST if run.disarmed else _EVERY
    with Spooled(run, options=options, hook_seconds=0.01) as line:
        line.start_receiver()
        line.start_sender()
        kills = _repeat(run, line, [lambda: _restart_receiver(line)])
        line.drain()
        return {"kills": kills, **line.check_runs(receiver_kills=kills)}


def sender_killed(run: Run) -> Figures:
    """Kill the sender while its spool is never empty, the hook being slower than the camera."""
    patch = "forgotten-spool" if run.disarmed else ""
    with Spooled(run, fps=50, hook_seconds=0.025, sender_patch=patch) as line:
        line.start_receiver()
        line.start_sender()
        longest = [0.0]
        kills = _repeat(run, line, [lambda: _restart_sender(line, longest)])
        line.drain()
        seen = line.check_runs()
        run.check(
            run.quick or longest[0] < _RESTART,
            f"a sender was there again {longest[0]:.1f} s after its start, expected {_RESTART:g}",
        )
        return {
            "kills": kills,
            **seen,
            "left_in_the_spool": len(set(line.left)),
            "longest_restart_s": round(longest[0], 2),
        }


def replies_cut(run: Run) -> Figures:
    """Forward every request, and keep three of ten replies."""
    cut = ReplyCut(0.3, seed=run.seed)
    patch = "no-order" if run.disarmed else ""
    with Spooled(run, proxy=lambda port: ChaosProxy(port, cut=cut), receiver_patch=patch) as line:
        line.start_receiver()
        line.start_sender()
        line.wait_for_rows(100 if run.quick else 3000)
        line.drain()
        figures = line.check_runs()
    cuts = sum(exchange.cut for exchange in cut.log)
    run.check(cuts > 10, f"only {cuts} replies were cut")
    return {**figures, "requests": len(cut.log), "replies_cut": cuts}


def everything(run: Run) -> Figures:
    """Kill either, by turns, behind a proxy that keeps three of ten replies."""
    cut = ReplyCut(0.3, seed=run.seed)
    options = _LATEST if run.disarmed else _EVERY
    with Spooled(
        run, options=options, hook_seconds=0.01, proxy=lambda port: ChaosProxy(port, cut=cut)
    ) as line:
        line.start_receiver()
        line.start_sender()
        longest = [0.0]
        deaths = [lambda: _restart_receiver(line), lambda: _restart_sender(line, longest)]
        kills = _repeat(run, line, deaths)
        line.drain()
        # A frame may run twice for each death of the receiver, and no oftener.
        return {"kills": kills, **line.check_runs(receiver_kills=(kills + 1) // 2)}


def _repeat(run: Run, line: Spooled, deaths: list[Callable[[], None]]) -> int:
    """Let something die, at a random moment of work that goes on; return how often."""
    kills, frames = (2, 40) if run.quick else (20, 140)
    for number in range(kills):
        line.wait_for_rows(run.random.randrange(frames // 2, frames))
        time.sleep(run.random.random() * 0.05)
        deaths[number % len(deaths)]()
        run.say(f"{number + 1} of {kills} deaths, {len(line.rows())} runs of the hook")
    line.wait_for_rows(frames)
    return kills


def _restart_receiver(line: Spooled) -> None:
    line.kill_receiver()
    line.start_receiver()


def _restart_sender(line: Spooled, longest: list[float]) -> None:
    line.kill_sender()
    began = time.monotonic()
    line.start_sender()
    longest[0] = max(longest[0], time.monotonic() - began)


def spool_full(run: Run) -> Figures:
    """Leave the receiver away until the spool is full, and longer."""
    limit = 1_000_000 if run.quick else 20_000_000
    allowed = "1GB" if run.disarmed else f"{limit // 10**6}MB"
    fps = 100 if run.quick else 400
    with Spooled(run, fps=fps, options=(*_EVERY, "--spool-bytes", allowed)) as line:
        line.choose_port(free_port())
        line.start_sender()
        most = 0

        def is_enough() -> bool:
            nonlocal most
            most = max(most, disk_use(line.spool))
            run.check(most <= limit, f"{most} bytes on the disk, expected {limit} at most")
            return bool(line.sent()["expired"] >= 200)

        line.wait_until("200 frames that made room", is_enough)
        line.start_receiver()
        line.wait_for_rows(20)
        failed = line.sent()["failed"]
        line.drain()
        expired = line.expired()
        gap = _gap(line)
        lost = {name: count for name, count in failed.items() if count}
        run.check(gap == expired, f"{expired} frames expired, and {gap} are missing at the hook")
        run.check(not lost, f"frames were lost on the way to the disk: {lost}")
        return {"expired": expired, "gap": gap, "most_bytes": most, "limit_bytes": limit}


def disk_full(run: Run) -> Figures:
    """Fill the disk under the spool, and empty it again."""
    patch = "no-care-of-disks" if run.disarmed else ""
    with _small_disk(run.folder / "disk") as disk:
        with Spooled(run, fps=100, spool=disk, sender_patch=patch) as line:
            line.choose_port(free_port())
            line.start_sender()
            line.wait_until("frames in the spool", lambda: _sent(line, "waiting") > 20)
            filler = disk / "filler"
            with suppress(OSError):  # more than there is room for
                filler.write_bytes(bytes(30_000_000))
            line.wait_until("frames that the disk refused", lambda: _failed(line) >= 50)
            filler.unlink()
            refused = _failed(line)
            waiting = _sent(line, "waiting")
            line.wait_until("frames stored again", lambda: _sent(line, "waiting") > waiting + 20)
            line.start_receiver()
            line.wait_for_rows(20)
            line.drain()
            failed = line.told("failed")
            lines = sum("cannot be stored" in each for each in line.sender.lines)
            rows, expired = line.rows(), line.expired()
        gap = _gap(line)
        run.check(
            gap == failed + expired,
            f"{failed} frames were refused and {expired} expired, {gap} are missing at the hook,"
            f" which ran {len(rows)} times for {len({row.name for row in rows})} frames",
        )
        run.check(lines <= 2, f"a full disk was told {lines} times")
        return {"refused_by_the_disk": refused, "expired": expired, "gap": gap, "told": lines}


def _gap(line: Spooled) -> int:
    """Return how many frames of the ended sender never came to the hook."""
    rows = line.rows()
    seen = {row.seq for row in rows if row.epoch == rows[0].epoch}
    return line.told("captured") - len(seen)


def _sent(line: Spooled, name: str) -> int:
    number: int = line.sent()[name]
    return number


def _failed(line: Spooled) -> int:
    number: int = line.sent()["failed"].get("disk", 0)
    return number


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "framepost-trial", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        raise Unable(f"mounts, as root has them: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def receiver_away(run: Run) -> Figures:
    """Leave the receiver away for a while, and see how fast the sender catches up."""
    fps, seconds = 25, 4 if run.quick else 60
    options = _LATEST if run.disarmed else _EVERY
    with Spooled(run, fps=fps, options=options) as line:
        line.choose_port(free_port())
        line.start_sender()
        line.wait_until("frames", lambda: line.sent()["captured"] > fps)
        process = psutil.Process(line.sender.pid)
        before = process.memory_info().rss
        goal = fps * seconds
        line.wait_until("a backlog", lambda: line.sent()["captured"] >= goal)
        grown = process.memory_info().rss - before
        line.start_receiver()
        line.wait_for_rows(1)
        began, waiting, captured = time.monotonic(), *_waiting(line)
        line.wait_until("an empty spool", lambda: _waiting(line)[0] <= 2)
        took = time.monotonic() - began
        drained = waiting + _waiting(line)[1] - captured
        line.drain()
        figures = line.check_runs()
    run.check(grown < 20e6, f"the sender grew by {grown / 1e6:.1f} MB, expected less than 20")
    speed = drained / took / fps
    if not run.quick:
        run.check(speed >= 2, f"the backlog went at {speed:.1f} times real time, expected 2")
    return {
        **figures,
        "backlog": waiting,
        "times_real_time": round(speed, 1),
        "sender_grew_mb": round(grown / 1e6, 1),
    }


def _waiting(line: Spooled) -> tuple[int, int]:
    sent = line.sent()
    return sent["waiting"], sent["captured"]


TRIALS = [
    Trial(
        "delivery-receiver-killed",
        "with --delivery every, a receiver that is killed 20 times costs no frame, and one that ran"
        " twice for it is marked as redelivered; the order is kept",
        receiver_killed,
        disarm="the spool: --delivery latest",
    ),
    Trial(
        "delivery-sender-killed",
        "with --delivery every, a sender that is killed 20 times with frames in its spool is there"
        " again 3 s after its start at the latest, and delivers each of them, once and in order",
        sender_killed,
        disarm="what a restart finds in the spool",
    ),
    Trial(
        "delivery-replies-cut",
        "with --delivery every and three of ten replies lost, the hook runs once for each frame",
        replies_cut,
        disarm="the receiver's memory of what is settled",
        disarm_quick=True,
    ),
    Trial(
        "delivery-everything",
        "with --delivery every, deaths of sender and receiver by turns, and three of ten replies"
        " lost, no frame is missing, and none runs twice without saying so",
        everything,
        disarm="the spool: --delivery latest",
    ),
    Trial(
        "delivery-spool-full",
        "a spool that is full gives up its oldest frames, each of them counted, and never takes"
        " more than --spool-bytes",
        spool_full,
        disarm="the limit",
    ),
    Trial(
        "delivery-disk-full",
        "a disk that is full costs frames that are counted, one line in the log, and nothing when"
        " it has room again",
        disk_full,
        disarm="the sender's care of what the disk refuses",
        disarm_quick=True,
    ),
    Trial(
        "delivery-receiver-away",
        "after a minute without a receiver the sender, grown by less than 20 MB, delivers all at"
        " twice real time or faster",
        receiver_away,
        disarm="the spool: --delivery latest",
    ),
]
