"""An MJPEG camera's pictures on their way through a program to another: what that program costs.

A camera of 1080p at 25 fps; Framepost's sender passes its JPEGs on as they are, which the SHA-256
of each frame shows, as the camera sent it and as the hook got it. OpenCV with imageZMQ or NetGear
decodes and encodes them. CPU is the sending program's share of a core. Over RTSP a JPEG travels
without its headers (RFC 2435), so its bytes there are not compared. The limit is recv() and send()
of the same bytes. A B A B in one run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import chart, port, rival, steady, summary
from benchmarks.measuring.contest import Chain, Turn, contest
from benchmarks.measuring.program import Program, Receiver
from benchmarks.programs import hashing_hook, mjpeg_camera

_HTTP, _RTSP = "Framepost, MJPEG over HTTP", "Framepost, MJPEG over RTSP"
_LIMIT = "limit: recv() and send()"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, default=8, help="of one turn")
    steady.add_arguments(parser)
    parser.set_defaults(size="1920x1080")


def run(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        digests = Digests(Path(folder))
        turns = contest(
            _chains(arguments, digests),
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            title="passthrough",
        )
        identity = digests.compare()
    rows = {name: _row(each) for name, each in turns.items()}
    content: dict[str, Any] = {"benchmark": "passthrough", "environment": summary.environment()}
    content |= {"size": arguments.size, "fps": arguments.fps, "rows": rows, "bytes": identity}
    _print(content)
    bars = {name: float(row["sender_percent"]) for name, row in rows.items() if name != _LIMIT}
    limit = rows[_LIMIT]["sender_percent"]
    title = f"the sending program, {arguments.size} MJPEG at {arguments.fps:g} fps"
    chart.bars("passthrough", bars, title=title, unit="% of a core", limit=limit)
    print(f"written to {summary.write('passthrough', content)}")
    return 0 if identity["altered"] == 0 and identity["arrived"] > 0 else 1


class Digests:
    """What the camera sent and what arrived, over all turns."""

    def __init__(self, folder: Path) -> None:
        self.sent = folder / "sent"
        self.arrived = folder / "arrived"

    def compare(self) -> dict[str, int]:
        """Return how many frames were sent, arrived, and arrived with other bytes than any sent."""
        sent = set(hashing_hook.read_digests(self.sent))
        arrived = hashing_hook.read_digests(self.arrived)
        altered = sum(digest not in sent for digest in arrived)
        return {"sent": len(sent), "arrived": len(arrived), "altered": altered}


def _chains(arguments: argparse.Namespace, digests: Digests) -> list[Chain]:
    shown = steady.options(arguments)
    chains = [
        Chain(_HTTP, partial(_ours_by_http, shown, digests)),
        Chain(_RTSP, partial(_ours_by_rtsp, arguments)),
    ]
    for name, module, needed in (
        ("OpenCV and imageZMQ", "imagezmq", "imagezmq"),
        ("OpenCV and NetGear", "netgear", "vidgear"),
    ):
        sentence = rival.missing(needed)
        if sentence is None:
            chains.append(Chain(name, partial(_theirs, module, shown)))
        else:
            print(sentence)
    return [*chains, Chain(_LIMIT, partial(_bare, shown))]


def _camera(stack: ExitStack, shown: Sequence[str], environment: Mapping[str, str]) -> Program:
    camera = Program(
        "camera",
        ["benchmarks.programs.mjpeg_camera", *shown],
        ready=[r"see (http://\S+)"],
        environment=environment,
    )
    return stack.enter_context(camera)


def _ours_by_http(
    shown: Sequence[str], digests: Digests, stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    camera = _camera(stack, shown, {mjpeg_camera.VARIABLE: str(digests.sent)})
    receiver = Receiver(
        *("--hook", "benchmarks.programs.hashing_hook:Hashing"),
        environment={**environment, hashing_hook.VARIABLE: str(digests.arrived)},
    )
    return _send(stack, camera.found[0], stack.enter_context(receiver))


def _ours_by_rtsp(
    arguments: argparse.Namespace, stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    clip = ["--source", arguments.clip] if arguments.clip else []
    camera = Program(
        "camera",
        [
            *("camera", "--port", "0", "--codec", "mjpeg", "--size", arguments.size),
            *("--fps", f"{arguments.fps:g}", *clip),
        ],
        ready=[r"(rtsp://\S+)"],
    )
    stack.enter_context(camera)
    receiver = Receiver(
        "--hook", "benchmarks.programs.reading_hook:Noting", environment=environment
    )
    return _send(stack, camera.found[0], stack.enter_context(receiver))


def _send(stack: ExitStack, source: str, receiver: Receiver) -> list[Program]:
    sender = Program("sender", ["sender", "--source", source, "--to", receiver.url])
    return [stack.enter_context(sender), receiver]


def _theirs(
    module: str, shown: Sequence[str], stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    camera = _camera(stack, shown, {})
    number = f"--port={port.free()}"
    receiver = Program(
        "receiver",
        [f"benchmarks.rivals.{module}_receive", number],
        ready=["ready"],
        environment=environment,
    )
    stack.enter_context(receiver)
    source = ["--source", camera.found[0]]
    sender = Program("sender", [f"benchmarks.rivals.{module}_send", number, *source])
    return [stack.enter_context(sender), receiver]


def _bare(shown: Sequence[str], stack: ExitStack, environment: Mapping[str, str]) -> list[Program]:
    camera = _camera(stack, shown, {})
    receiver = Program(
        "receiver", ["benchmarks.programs.bare_server"], ready=[r"see (http://\S+)/$"]
    )
    stack.enter_context(receiver)
    sender = Program(
        "sender",
        ["benchmarks.programs.forward", camera.found[0], receiver.found[0]],
        environment=environment,
    )
    return [stack.enter_context(sender), receiver]


def _row(turns: Sequence[Turn]) -> dict[str, Any]:
    return {
        # Over RTSP a clip's pictures have no mark, and are all illegible.
        "fps": round(median((turn.frames + turn.illegible) / turn.seconds for turn in turns), 1),
        "sender_percent": round(median(share(turn, "sender") for turn in turns), 2),
        "receiver_percent": round(median(share(turn, "receiver") for turn in turns), 2),
        "sender_mb": round(median(turn.memory["sender"] for turn in turns) / 1e6, 1),
    }


def share(turn: Turn, name: str) -> float:
    """Return what a process took of one core, in percent."""
    return 100 * turn.cpu[name] / turn.seconds


def _print(content: Mapping[str, Any]) -> None:
    print(f"\nMJPEG camera, {content['size']} at {content['fps']:g} fps; CPU in % of a core")
    print(f"{'':32}{'sender':>8}{'receiver':>10}{'frames/s':>10}{'sender MB':>11}")
    for name, row in content["rows"].items():
        fps = "-" if name == _LIMIT else row["fps"]
        print(
            f"{name:32}{row['sender_percent']:8}{row['receiver_percent']:10}{fps:>10}"
            f"{row['sender_mb']:11}"
        )
    told = content["bytes"]
    print(
        f"SHA-256 over HTTP: {told['sent']} frames sent, {told['arrived']} arrived at the hook, "
        f"{told['altered']} of them altered"
    )
