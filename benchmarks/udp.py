"""UDP: how many small frames a second, and what spreading a large frame over time saves.

Pixels of 160x120 in datagrams, sent at rising rates to a receiver on this machine, up to the first
rate that is too much: 1 % are lost, or the sender does not keep up. Then 720p JPEGs over a thin
line with a short queue, sent all at once and spread over a part of the time to the next frame
(Linux, as root, with tc).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests
from tqdm import tqdm

from benchmarks.measuring import feed, port, summary
from benchmarks.measuring.program import Receiver
from benchmarks.measuring.wire import Wire
from sender.carriers.udp_carrier import UdpCarrier
from sender.carriers.udp_endpoint import UdpEndpoint
from shared import codec
from shared.frame import EncodedFrame

_TOKEN = "benchmark-0123456789abcdef"  # noqa: S105  # of no receiver but its own
_SMALL, _LARGE = (160, 120), (1280, 720)
_CHANNELS = {"gray": 1, "rgb": 3}
_LOSS = 0.01
#: Seconds without another frame after which none comes any more.
_SETTLE = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """What became of frames at one rate; CPU in microseconds a frame."""

    offered: float
    taken: float
    sender_us: float
    receiver_us: float

    @property
    def lost(self) -> float:
        return 1 - self.taken / self.offered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=3, help="of one rate")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[1000, 2000, 3000, 4000, 5000], help="frames/s"
    )
    parser.add_argument("--clip", help="a video for the large pictures; default: test pattern")
    parser.add_argument("--line", default="12mbit", help="rate of the thin line")
    parser.add_argument("--queue", default="24kb", help="what its queue holds")


def run(arguments: argparse.Namespace) -> int:
    content: dict[str, Any] = {"benchmark": "udp", "environment": summary.environment()}
    ways = [("gray", "", False), ("rgb", "", False), ("gray", "&parity=8", False)]
    ways += [("gray", "", True), ("rgb", "", True)]
    rows: dict[str, Any] = {}
    for form, options, is_sealed in ways:
        name = form + options.replace("&", ", ").replace("=", " ") + ", sealed" * is_sealed
        steps = _climb(name, form, options, is_sealed, arguments)
        rows[name] = [_figures(step) for step in steps]
        for step in steps:
            print(f"160x120 {name:16} {_told(step)}")
    content["small"] = rows
    try:
        # Last: there is no way back from it.
        wire = Wire()
        wire.thin(arguments.line, arguments.queue)
    except OSError as exc:
        print(f"without the thin line: {exc}")
    else:
        pictures = [codec.encode(image, 80) for image in feed.load(arguments.clip, *_LARGE)]
        content["line"] = {"rate": arguments.line, "queue": arguments.queue}
        content["line"]["jpeg_bytes"] = sum(map(len, pictures)) // len(pictures)
        content["line"]["paces"] = {pace: _spread(pace, pictures, arguments) for pace in (0, 50)}
        for pace, row in content["line"]["paces"].items():
            print(f"{arguments.line}, pace {pace:2}: {row['whole_percent']:.1f} % come whole")
    print(f"written to {summary.write('udp', content)}")
    return 0


def _told(step: Step) -> str:
    return (
        f"{step.offered:7,.0f}/s sent {step.taken:7,.0f}/s taken {100 * step.lost:6.2f} % lost"
        f"   CPU us a frame: sender {step.sender_us:.0f}, receiver {step.receiver_us:.0f}"
    )


def _climb(
    name: str, form: str, options: str, is_sealed: bool, arguments: argparse.Namespace
) -> list[Step]:
    """Return what became of each rate, up to the first that was too much."""
    steps: list[Step] = []
    token = _TOKEN if is_sealed else None
    width, height = _SMALL
    noise = np.random.default_rng(0).bytes(width * height * _CHANNELS[form])
    media_type = f"application/x-raw-{form}; width={width}; height={height}"
    for rate in tqdm(arguments.rates, desc=name, unit="rate", disable=not sys.stderr.isatty()):
        with _line(f"?form={form}{options}", token) as (receiver, endpoint):
            step = _offer(receiver, endpoint, [noise], media_type, rate, arguments.seconds)
        steps.append(step)
        if step.lost > _LOSS or step.offered < (1 - _LOSS) * rate:
            break
    return steps


def _spread(pace: int, pictures: Sequence[bytes], arguments: argparse.Namespace) -> dict[str, Any]:
    with _line(f"?pace={pace}", None) as (receiver, endpoint):
        step = _offer(receiver, endpoint, pictures, "image/jpeg", 25, 3 * arguments.seconds)
    return {"whole_percent": round(100 * (1 - step.lost), 1), **_figures(step)}


@contextmanager
def _line(options: str, token: str | None) -> Iterator[tuple[Receiver, UdpEndpoint]]:
    url = f"udp://127.0.0.1:{port.free()}"
    environment = {} if token is None else {"RECEIVER_TOKEN": token}
    with Receiver("--listen", url, hooks=0, environment=environment) as receiver:
        yield receiver, UdpEndpoint.read(url + options, "small", token=token)


def _offer(
    receiver: Receiver,
    endpoint: UdpEndpoint,
    pictures: Sequence[bytes],
    media_type: str,
    rate: float,
    seconds: float,
) -> Step:
    width, height = _LARGE if media_type == "image/jpeg" else _SMALL
    with closing(UdpCarrier(endpoint)) as carrier:

        def send(seq: int) -> None:
            frame = EncodedFrame(
                camera="small",
                epoch="benchmark",
                seq=seq,
                captured_at=time.time(),
                data=pictures[seq % len(pictures)],
                width=width,
                height=height,
                media_type=media_type,
            )
            headers, body = endpoint.request(frame)
            carrier.post("small", body, headers)

        send(0)
        before, spent, own = _settled(receiver), receiver.cpu(), time.process_time()
        began = time.monotonic()
        sent = 0
        while (now := time.monotonic() - began) < seconds:
            if now * rate > sent:
                sent += 1
                send(sent)
            else:
                time.sleep(0.0002)
        lasted = time.monotonic() - began
        own = time.process_time() - own
        taken = _settled(receiver) - before
        spent = receiver.cpu() - spent
    return Step(sent / lasted, taken / lasted, 1e6 * own / sent, 1e6 * spent / max(1, taken))


def _settled(receiver: Receiver) -> int:
    """Return how many frames were taken when no more come."""
    taken = -1
    while (now := _taken(receiver)) > taken:
        taken = now
        time.sleep(_SETTLE)
    return taken


def _taken(receiver: Receiver) -> int:
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    answer = requests.get(f"{receiver.url}/cameras/small", headers=headers, timeout=30)
    return int(answer.json()["received"]) if answer.status_code == 200 else 0


def _figures(step: Step) -> dict[str, float]:
    return {
        "offered_fps": round(step.offered, 1),
        "taken_fps": round(step.taken, 1),
        "lost_percent": round(100 * step.lost, 2),
        "sender_cpu_us_per_frame": round(step.sender_us, 1),
        "receiver_cpu_us_per_frame": round(step.receiver_us, 1),
    }
