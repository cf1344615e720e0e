"""From the moment a camera pushes a frame to its pixels in another process: RTSP to ndarray.

The simulated camera draws into each frame the time of its push. Each contestant reads it by RTSP
(H.264), sends it as JPEG (quality 80) and reads number and time from the pixels at the end: a hook,
for Framepost. "classic" is OpenCV with a capture thread, base64 in a form on a new connection each
time, Flask's own server, and loops that sleep 10 ms where there is nothing. The other rivals read
by OpenCV too. The limit, measured in each round, is H.264 decoding, JPEG encoding and JPEG decoding
of such a frame and nothing else.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import chart, pairs, summary
from benchmarks.measuring.codec_chain import CodecChain
from benchmarks.measuring.contest import Chain, Contestant, contest, figures
from benchmarks.measuring.pairs import Pair
from benchmarks.measuring.program import Program, Receiver

_LIMIT = "limit: the codecs alone"
_OURS = {
    "Framepost": ["--rtsp-reader=direct"],
    "Framepost, stream": ["--rtsp-reader=direct", "--transport=stream"],
    "Framepost, read by FFmpeg": ["--rtsp-reader=ffmpeg"],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, default=8, help="of one turn")
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--clip", help="a video that the camera shows; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    width, height = (int(side) for side in arguments.size.split("x"))
    limit = CodecChain(_LIMIT, arguments.clip, width, height, arguments.fps)
    contestants: list[Contestant] = [limit]
    contestants += [
        Chain(name, partial(ours, arguments, options)) for name, options in _OURS.items()
    ]
    contestants += [
        Chain(f"OpenCV + {pair.name}", partial(_theirs, arguments, pair))
        for pair in pairs.present(pairs.RIVALS)
    ]
    turns = contest(
        contestants, rounds=arguments.rounds, seconds=arguments.seconds, title="latency"
    )
    rows = {name: figures(each) for name, each in turns.items()}
    content: dict[str, Any] = {"benchmark": "latency", "environment": summary.environment()}
    content |= {"size": arguments.size, "fps": arguments.fps}
    content |= {"clip": arguments.clip and Path(arguments.clip).name, "rows": rows}
    _print(content)
    bars = {name: content["rows"][name]["p50_ms"] for name in rows if name != _LIMIT}
    chart.bars(
        "latency",
        bars,
        title=f"camera to hook, H.264 {arguments.size}, median",
        unit="ms",
        limit=content["rows"][_LIMIT]["p50_ms"],
        limit_name="codecs alone",
    )
    print(f"written to {summary.write('latency', content)}")
    return 0


def ours(
    arguments: argparse.Namespace,
    options: Sequence[str],
    stack: ExitStack,
    environment: Mapping[str, str],
) -> list[Program]:
    """Start our chain, the camera first; `options` are the sender's."""
    camera = _camera(arguments, stack)
    receiver = stack.enter_context(
        Receiver("--hook", "benchmarks.programs.reading_hook:Noting", environment=environment)
    )
    line = ["sender", f"--source={camera.found[0]}", f"--to={receiver.url}", *options]
    return [camera, receiver, stack.enter_context(Program("sender", line))]


def _theirs(
    arguments: argparse.Namespace, pair: Pair, stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    camera = _camera(arguments, stack)
    sending = [f"--source={camera.found[0]}"]
    return [camera, *pair.start(stack, environment, sending=sending)]


def _camera(arguments: argparse.Namespace, stack: ExitStack) -> Program:
    line = ["camera", "--port=0"]
    if arguments.clip:
        line = ["benchmarks.programs.marked_camera", f"--clip={arguments.clip}"]
    line += [f"--size={arguments.size}", f"--fps={arguments.fps:g}"]
    return stack.enter_context(Program("camera", line, ready=[r"(rtsp://\S+)"]))


def _print(content: Mapping[str, Any]) -> None:
    print(
        f"\n{content['size']}, {content['fps']:g} frames/s, H.264, milliseconds; CPU in µs a frame"
    )
    print(f"{'':38}{'p50':>8}{'p95':>8}{'p99':>8}{'fps':>7}{'missing':>8}{'bad':>5}{'MB':>6}  CPU")
    for name, row in sorted(content["rows"].items(), key=lambda item: item[1]["p50_ms"]):
        parts = row["cpu_us_per_frame"].items()
        cpu = ", ".join(f"{part} {spent:,}" for part, spent in parts if part != "camera")
        memory = sum(held for part, held in row["memory_mb"].items() if part != "camera")
        print(
            f"{name:38}{row['p50_ms']:8.2f}{row['p95_ms']:8.2f}{row['p99_ms']:8.2f}"
            f"{row['fps']:7.1f}{row['missing']:8}{row['illegible']:5}{memory:6.0f}  {cpu}"
        )
