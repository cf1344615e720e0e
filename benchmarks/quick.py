"""A few ratios in half a minute, for every change: is anything far slower than it was?

Ratios to a limit that is measured beside them, because they depend little on the machine and on
what else it does. The bounds are generous; one that is passed is said and changes nothing else. The
exit status is 1 only where a chain is broken: no frame arrives, or the wrong ones.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tqdm import tqdm

from benchmarks.callers.contract import Shot
from benchmarks.callers.kserve import KServeSharedMemory
from benchmarks.callers.post import Post
from benchmarks.measuring import contest, feed, jobs, summary
from benchmarks.measuring.codec_bound import CodecBound
from benchmarks.measuring.contest import Turn
from benchmarks.measuring.expectation import Expectation, table
from benchmarks.measuring.load import Load
from benchmarks.measuring.program import Program, Receiver
from benchmarks.measuring.sink import VARIABLE
from shared import codec

_WIDTH, _HEIGHT, _FPS = 1280, 720, 25
_SIZE = f"--size={_WIDTH}x{_HEIGHT}"
_WARM_UP = 1.0
_CALLS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")


def run(arguments: argparse.Namespace) -> int:
    seconds: float = arguments.seconds
    with ExitStack() as stack:
        notes = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "notes"
        receiver = Receiver(
            "--hook", "benchmarks.programs.reading_hook:Noting", environment={VARIABLE: str(notes)}
        )
        measurements: list[Callable[[], Expectation]] = [
            lambda: _latency(receiver.url, notes, seconds),
            lambda: _throughput(receiver.url, notes, seconds),
            lambda: _shared_memory(receiver.url),
            lambda: _ingest(seconds),
        ]
        met = []
        try:
            stack.enter_context(receiver)
            for measure in tqdm(measurements, "quick", disable=not sys.stderr.isatty()):
                met.append(measure())
        except (RuntimeError, ValueError) as exc:
            print(f"quick: {exc}", file=sys.stderr)
            return 1
    print(table(met))
    content = {"benchmark": "quick", "environment": summary.environment()}
    summary.write("quick", content | {"expectations": [asdict(one) for one in met]})
    return 0


def _latency(url: str, notes: Path, seconds: float) -> Expectation:
    camera = Program("camera", ["camera", "--port=0", _SIZE], ready=[r"(rtsp://\S+)"])
    with camera:
        line = ["sender", f"--source={camera.found[0]}", f"--to={url}"]
        with Program("sender", line) as sender:
            turn = _arriving(notes, [camera, sender], seconds)
    intervals = median(turn.latencies) * _FPS
    return Expectation("camera to hook, in intervals between frames", intervals, "<=", 1.0)


def _throughput(url: str, notes: Path, seconds: float) -> Expectation:
    line = ["benchmarks.programs.framepost_send", f"--url={url}", "--by=stream", _SIZE]
    with Program("sender", line) as sender:
        turn = _arriving(notes, [sender], seconds)
    bound = CodecBound("codec", [_SIZE]).run(seconds / 2)
    share = turn.fps / bound.fps
    return Expectation("frames/s, as a share of what the codec alone can", share, ">=", 0.3)


def _arriving(notes: Path, programs: list[Program], seconds: float) -> Turn:
    """Return what arrives in some seconds; raise RuntimeError when nothing legible does."""
    # What the measurement before has left behind.
    if notes.exists():
        os.truncate(notes, 0)
    contest.wait_for(notes, programs)
    time.sleep(_WARM_UP)
    turn = contest.measure(notes, programs, seconds)
    if turn.frames == 0 or turn.illegible:
        raise RuntimeError(
            f"{programs[-1].name}: expected only frames with legible numbers at the hook, "
            f"got {turn.frames} of these and {turn.illegible} others"
        )
    return turn


def _shared_memory(url: str) -> Expectation:
    images = feed.load(None, _WIDTH, _HEIGHT)
    shots = [Shot.make(n, image, 80) for n, image in enumerate(images)]
    body, memory = Post(url, raw=True), KServeSharedMemory(url, shots[0].image.nbytes)
    seconds: dict[object, list[float]] = {body: [], memory: []}
    for n in range(_CALLS):
        for caller in (body, memory):
            seconds[caller].append(caller.call(shots[n % len(shots)]))
    body.close()
    memory.close()
    ratio = median(seconds[body]) / median(seconds[memory])
    return Expectation("pixels in shared memory, times as fast as in a body", ratio, ">=", 1.2)


def _ingest(seconds: float) -> Expectation:
    pictures = [codec.encode(image, 95) for image in feed.load(None, 1920, 1080)]
    bare = Program("bare", ["benchmarks.programs.bare_server"], ready=[r"see (http://\S+)/$"])
    with Load() as load, Receiver(hooks=0) as receiver, bare:
        cpu = {}
        for server, url in ((bare, bare.found[0]), (receiver, receiver.url)):
            load.run(url, jobs.posts(pictures, 8), seconds=_WARM_UP / 2)
            before = server.cpu()
            answers = load.run(url, jobs.posts(pictures, 8), seconds=seconds / 2)
            cpu[server.name] = (server.cpu() - before) / len(answers.latencies)
    ratio = cpu["receiver"] / cpu["bare"]
    return Expectation("CPU to take a JPEG in, times that of recv() alone", ratio, "<=", 20)
