"""Camera: what a camera does wrong costs its own frames, and nothing for longer than it lasts.

A simulated camera, a sender's pipeline and a hub in this process; see tests/survive/pipelines.py.
"""

from __future__ import annotations

import operator
import socket
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from unittest import mock

import psutil

from camera.simulated import SimulatedCamera
from sender.rtsp import decoder, flow
from sender.sources import rtsp_direct
from shared import codec, pattern
from shared.errors import FrameError
from tests.survive.pipelines import Arrival, Pipelines
from tests.survive.trial import Figures, Run, Trial

_SIZE = (320, 240)
_FPS = 25
#: So long may a change in the camera take to be through, in seconds.
_THROUGH = 3.0
#: A machine that has other things to do may take so many times longer in short runs.
_SLACK = 5.0
#: No frame is as old as this, however busy the machine is.
_STALE = 10.0


def silent(run: Run) -> Figures:
    """Let one pipeline read a sound camera beside three that are taken and never answered."""
    seconds = 3.0 if run.quick else 30.0
    with ExitStack() as stack:
        line = stack.enter_context(Pipelines())
        camera = stack.enter_context(SimulatedCamera(size=_SIZE, fps=_FPS))
        line.add("alone", camera.url)
        alone = line.wait_for_frames("alone", 1)
        for number in range(3):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            line.add(f"silent{number}", f"rtsp://127.0.0.1:{port}/", open_timeout=1.0)
        line.add("beside", camera.url)
        beside = line.wait_for_frames("beside", 1)
        time.sleep(seconds)
        states = [line.status(f"silent{number}")["state"] for number in range(3)]
        gaps = _gaps(line.frames("beside"))
    late = beside - alone
    allowed = 0.5 * (_SLACK if run.quick else 1)
    run.check(late <= allowed, f"the sound camera came {late:.2f} s later beside silent ones")
    run.check(max(gaps) <= allowed, f"{max(gaps):.2f} s between two of its frames")
    run.check(states == ["retrying"] * 3, f"the silent ones are told as {states}")
    return {"first_frame_later_s": round(late, 3), "longest_gap_s": round(max(gaps), 3)}


def stalls(run: Run) -> Figures:
    """Stall a camera and let it go on, again and again; look at what is held before and after."""
    cycles = 3 if run.quick else 50
    recoveries: list[float] = []
    with SimulatedCamera(size=_SIZE, fps=_FPS) as camera, Pipelines() as line:
        line.add("cam1", camera.url, open_timeout=1.0, read_timeout=0.5 if run.quick else 1.0)
        line.wait_for_frames("cam1", _FPS)
        _stall(camera, line)
        before = _held()
        for cycle in range(cycles):
            recoveries.append(_stall(camera, line))
            run.say(f"{cycle + 1} of {cycles}, back after {recoveries[-1]:.2f} s")
        line.wait_until("as much as before is held", lambda: _counts(_held()) <= _counts(before))
        after = _held()
        # What the trial itself keeps is no growth.
        kept = sum(len(one.frame.data) for one in line.frames("cam1")) / 1e6
        bugs = line.bugs()
    run.check(not bugs, f"a thread died of {bugs}")
    worst = max(recoveries)
    allowed = _THROUGH * (_SLACK if run.quick else 1)
    run.check(worst <= allowed, f"a camera was found again after {worst:.2f} s")
    run.check(_counts(after) <= _counts(before), f"it held {before} and then {after}")
    grown = after["memory_mb"] - before["memory_mb"] - kept
    if not run.quick:
        run.check(grown < 10, f"{grown:.1f} MB more after {cycles} stalls")
    return {
        "cycles": cycles,
        "slowest_recovery_s": round(worst, 2),
        "grown_mb": round(grown, 1),
        **{name: int(value) for name, value in after.items() if name != "memory_mb"},
    }


def _stall(camera: SimulatedCamera, line: Pipelines) -> float:
    """Stall until the camera is given up; return the seconds from its return to a frame."""
    camera.stall()
    line.wait_until("given up", lambda: line.status("cam1")["state"] in ("stalled", "retrying"), 60)
    camera.resume()
    return line.wait_for_frames("cam1", 2)


def _held() -> dict[str, float]:
    process = psutil.Process()
    return {
        "threads": process.num_threads(),
        "files": process.num_fds(),
        "children": len(process.children()),
        "memory_mb": process.memory_info().rss / 1e6,
    }


def _counts(held: dict[str, float]) -> list[float]:
    return [value for name, value in held.items() if name != "memory_mb"]


def damage(run: Run) -> Figures:
    """Damage 1 % of the packets in three ways; count what was posted and cannot be read."""
    frames = 100 if run.quick else 1500
    kinds = ("h264",) if run.quick else ("h264", "h265", "mjpeg")
    share = 0.03 if run.quick else 0.01
    figures: Figures = {}
    with ExitStack() as stack:
        if run.disarmed:
            stack.enter_context(mock.patch.object(decoder, "_is_newly_corrupt", return_value=False))
        for kind in kinds:
            for how in ("truncate",) if run.quick else ("corrupt", "truncate", "garble"):
                seen = _damaged(run, kind, how, share, frames)
                figures |= {f"{kind}_{how}_{name}": value for name, value in seen.items()}
    return figures


def _damaged(run: Run, kind: str, how: str, share: float, frames: int) -> dict[str, int]:
    with SimulatedCamera(size=_SIZE, fps=_FPS * 2, codec=kind) as camera, Pipelines() as line:
        line.add("cam1", camera.url)
        line.wait_for_frames("cam1", 5)
        before = len(line.frames("cam1"))
        camera.corrupt(share, run.seed, how=how)
        line.wait_until(f"{frames} frames", lambda: camera.frames_sent >= frames, frames)
        sent = camera.frames_sent
        line.wait_for_frames("cam1", 5)
        status = line.status("cam1")
        bugs = line.bugs()
        posted = line.frames("cam1")[before:]
    illegible = sum(not _is_legible(one) for one in posted)
    what = f"{kind}, {how}"
    run.check(not bugs, f"{what}: a thread died of {bugs}")
    run.check(status["reconnects"] == 0, f"{what}: reopened though frames flowed: {status}")
    if kind == "h264" and how != "corrupt":
        # Bits that differ may give a picture that differs, and no decoder knows.
        run.check(
            illegible <= len(posted) * 0.05,
            f"{what}: {illegible} of {len(posted)} posted frames cannot be read",
        )
    if (kind == "h264" and how == "truncate") or how == "garble":
        run.check(status["corrupt"] > 0, f"{what}: no damaged frame was counted of {sent}")
    return {
        "sent": sent,
        "posted": len(posted),
        "counted_damaged": status["corrupt"],
        "posted_illegible": illegible,
    }


def _is_legible(arrival: Arrival) -> bool:
    try:
        return pattern.read(codec.decode(arrival.frame.data)) is not None
    except FrameError:
        return False


def changes(run: Run) -> Figures:
    """Change size and codec in mid-stream; wait for frames of the true size."""
    pairs = [("h264", "h265"), ("h265", "h264"), ("h264", "mjpeg"), ("mjpeg", "h264")]
    figures: Figures = {}
    with ExitStack() as stack:
        if run.disarmed:
            stack.enter_context(mock.patch.object(rtsp_direct, "_UNDECODED_SECONDS", 1e6))
            stack.enter_context(mock.patch.object(flow, "_STRANGE_AFTER", 1e6))
        for kind in ("h264",) if run.quick else ("h264", "h265", "mjpeg"):
            figures[f"{kind}_size_s"] = _changed(run, kind, kind)
        for before, after in pairs[:1] if run.quick else pairs:
            figures[f"{before}_to_{after}_s"] = _changed(run, before, after)
    return figures


def _changed(run: Run, before: str, after: str) -> float:
    """Return the seconds until legible frames of twice the size came, in another epoch."""
    larger = (2 * _SIZE[0], 2 * _SIZE[1])
    with SimulatedCamera(size=_SIZE, fps=_FPS, codec=before) as camera, Pipelines() as line:
        line.add("cam1", camera.url)
        line.wait_for_frames("cam1", 5)
        epoch = line.frames("cam1")[-1].frame.epoch
        camera.resize(*larger)
        if after != before:
            camera.recode(after)
        seconds = line.wait_until(
            f"{after} of {larger}", lambda: _is_sized(line.frames("cam1")[-1], larger)
        )
        last = line.frames("cam1")[-1].frame
        bugs = line.bugs()
    run.check(not bugs, f"{before} to {after}: a thread died of {bugs}")
    allowed = _THROUGH * (2 if run.quick else 1)
    run.check(seconds <= allowed, f"{before} to {after}: the new size came after {seconds:.1f} s")
    run.check(last.epoch != epoch, f"{before} to {after}: the epoch stayed the same")
    return round(seconds, 2)


def _is_sized(arrival: Arrival, size: tuple[int, int]) -> bool:
    if (arrival.frame.width, arrival.frame.height) != size or not _is_legible(arrival):
        return False
    height, width = codec.decode(arrival.frame.data).shape[:2]
    return (width, height) == size


def frozen(run: Run) -> Figures:
    """Let the picture stand still and move again; look at what the hub says of the camera."""
    figures: Figures = {}
    seconds = 3 if run.quick else 30
    for kind in ("mjpeg",) if run.quick else ("mjpeg", "h264", "h265"):
        with SimulatedCamera(size=_SIZE, fps=_FPS, codec=kind) as camera, Pipelines() as line:
            line.add("cam1", camera.url)
            line.wait_for_frames("cam1", 5)
            hub_camera = line.hub.get("cam1")
            assert hub_camera is not None
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                run.check(not hub_camera.is_still(), f"{kind}: a picture that moves is frozen")
                time.sleep(0.05)
            camera.freeze()
            found = line.wait_until("frozen", hub_camera.is_still)
            camera.resume()
            moving = partial(operator.not_, hub_camera._stillness)
            over = line.wait_until("moving", moving)
        run.check(found <= 10 * (2 if run.quick else 1), f"{kind}: found after {found:.1f} s")
        run.check(over <= 2 * (_SLACK if run.quick else 1), f"{kind}: over after {over:.1f} s")
        figures |= {f"{kind}_found_s": round(found, 2), f"{kind}_over_s": round(over, 2)}
    return figures


def times(run: Run) -> Figures:
    """Let timestamps jump, wrap and vanish; compare rate and age with what they were before."""
    seconds = 1.2 if run.quick else 20
    figures: Figures = {}
    with ExitStack() as stack:
        if run.disarmed:
            # What is told of them is believed.
            stack.enter_context(mock.patch.object(rtsp_direct, "_PLAUSIBLE", 1e6))
        line = stack.enter_context(Pipelines())
        camera = stack.enter_context(SimulatedCamera(size=_SIZE, fps=_FPS))
        line.add("cam1", camera.url)
        line.wait_for_frames("cam1", _FPS)
        faults = {
            "back": lambda: camera.jump(-3600),
            "ahead": lambda: camera.jump(3600),
            "wrap": camera.wrap,
            "absent": camera.forget_time,
        }
        for name, fault in faults.items():
            first, sent = len(line.frames("cam1")), camera.frames_sent
            fault()
            time.sleep(seconds)
            line.wait_for_frames("cam1", 2)
            share = (len(line.frames("cam1")) - first) / (camera.frames_sent - sent)
            ages = [one.age for one in line.frames("cam1")[first:]]
            middle, oldest = statistics.median(ages), max(ages)
            run.check(oldest <= _STALE, f"{name}: a frame is {oldest:.1f} s old, as it says")
            # An age is some milliseconds, and true ones are those that nothing jumps in.
            run.check(
                min(ages) >= -0.1 and middle <= 0.1 * (_SLACK if run.quick else 1),
                f"{name}: ages from {min(ages):.3f} s, in the middle {middle:.3f} s",
            )
            run.check(
                abs(share - 1) <= (0.5 if run.quick else 0.1),
                f"{name}: {share:.0%} of the frames that the camera sent came",
            )
            figures[f"{name}_share"] = round(share, 3)
            figures[f"{name}_median_age_ms"] = round(middle * 1000, 1)
            figures[f"{name}_worst_age_ms"] = round(oldest * 1000, 1)
        bugs = line.bugs()
    run.check(not bugs, f"a thread died of {bugs}")
    return figures


def _gaps(arrivals: Sequence[Arrival]) -> list[float]:
    return [b.at - a.at for a, b in pairwise(arrivals)] or [0.0]


TRIALS = [
    Trial(
        "camera-silent",
        "three cameras that are connected and say nothing delay a sound one by less than 0.5 s",
        silent,
    ),
    Trial(
        "camera-stalls",
        "a camera that stalled is found again within 3 s of its return, and after 50 times the"
        " sender holds what it held",
        stalls,
    ),
    Trial(
        "camera-damage",
        "where 1 % of the packets are damaged, cut short or noise, frames go on without a new"
        " connection, and of H.264 cut short at most 5 % of what is posted cannot be read",
        damage,
        disarm="what the decoder says of damage counts for that picture only",
        disarm_quick=True,
    ),
    Trial(
        "camera-changes",
        "another size or codec in mid-stream is through to the hook within 3 s, in a new epoch",
        changes,
        disarm="a stream that decodes no more is read on",
    ),
    Trial(
        "camera-frozen",
        "a picture that stands still while packets come is told within 10 s, with any codec, and"
        " within 2 s of its moving again that it is over",
        frozen,
    ),
    Trial(
        "camera-times",
        "timestamps that jump by an hour, wrap or are absent leave rate and age as they are",
        times,
        disarm="what timestamps say of a picture's age is believed, however old it makes it",
        disarm_quick=True,
    ),
]
