"""UDP: what a line does that loses and damages datagrams, and what noise does to a camera."""

from __future__ import annotations

import logging
import math
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from unittest.mock import patch

from receiver.access.seals import Seals
from receiver.listeners import assembly
from sender.carriers.udp_carrier import UdpCarrier
from sender.carriers.udp_endpoint import UdpEndpoint
from shared import codec, pattern
from shared.access.grant import Grant, Token
from shared.access.tokens import Tokens, digest_of
from shared.datagram import Cut
from shared.datagram_body import Body, unpack
from shared.errors import FrameError
from shared.frame import EncodedFrame
from tests.chaos.datagrams import DatagramLine
from tests.survive.trial import Figures, Run, Trial
from tests.survive.udp_listening import UdpListening

_LOSS, _DAMAGE = 0.05, 0.005
_TOKEN = "survive-0123456789abcdef"
#: So many noise datagrams come with each of 25 frames a second.
_NOISE = 400
#: What a sender sends in one go.
_RUN = 16


def loss(run: Run) -> Figures:
    """Send 720p pictures over a line that loses 5 % of all datagrams, without parity and with."""
    frames = 60 if run.quick else 2000
    pictures = [codec.encode(pattern.draw(number, 1280, 720), 80) for number in range(25)]
    figures: Figures = {"frames_each": frames, "lost_percent": 100 * _LOSS}
    with _quiet(), _checksum(run):
        for parity in (0, 8, 4):
            told = _send(run, pictures, frames, parity=parity, damage=0.0)
            share, expected, allowed = told["whole"], told["expected"], told["allowed"]
            run.check(
                abs(share - expected) <= allowed,
                f"parity {parity}: {share:.3f} of the frames came whole, expected {expected:.3f}"
                f" give or take {allowed:.3f}",
            )
            figures[f"whole_percent_parity_{parity}"] = round(100 * share, 1)
            figures[f"expected_percent_parity_{parity}"] = round(100 * expected, 1)
            figures["datagrams_a_frame"] = round(told["parts"], 1)
        told = _send(run, pictures, frames, parity=8, damage=_DAMAGE)
        figures |= {"damaged_datagrams": int(told["damaged"]), "wrong_pictures": 0}
    return figures


def _send(
    run: Run, pictures: list[bytes], frames: int, *, parity: int, damage: float
) -> dict[str, float]:
    """Send so many frames; return shares. Raise Broken for a picture that was never sent."""
    with ExitStack() as stack:
        listening = stack.enter_context(closing(UdpListening()))
        line = stack.enter_context(
            closing(DatagramLine(listening.address, dice=run.random, loss=_LOSS, damage=damage))
        )
        to = f"udp://127.0.0.1:{line.address[1]}?pace=0&parity={parity}"
        endpoint = UdpEndpoint.read(to, "cam1")
        carrier = stack.enter_context(closing(UdpCarrier(endpoint)))
        chances = []
        parts = 0
        for seq in range(frames):
            picture = pictures[seq % len(pictures)]
            headers, body = endpoint.request(_frame(seq, picture))
            carrier.post("cam1", body, headers)
            line.pass_on()
            listening.take(line.passed)
            cut = endpoint.cut(len(picture) + 150, version=4)  # the envelope, near enough
            parts += cut.parts
            chances.append(_chance(cut))
        for seq, picture in listening.taken.pictures.items():
            run.check(
                seq < frames and picture == pictures[seq % len(pictures)],
                f"frame {seq} came as a picture that was never sent",
            )
        return {
            "whole": len(listening.taken.pictures) / frames,
            "expected": sum(chances) / frames,
            # Four times the standard deviation, and one frame.
            "allowed": (4 * math.sqrt(sum(p * (1 - p) for p in chances)) + 1) / frames,
            "parts": parts / frames,
            "damaged": line.damaged,
        }


def _chance(cut: Cut) -> float:
    """Return the probability that a frame comes whole: at most one of each group is lost."""
    keep = 1 - _LOSS
    if not cut.parity:
        return keep**cut.parts
    chance = 1.0
    for group in range(cut.groups):
        count = len(cut.members(group))
        chance *= keep ** (count + 1) + (count + 1) * _LOSS * keep**count
    return chance


def _trusting(data: bytes, *, stream: int, seq: int) -> Body:
    """Take a joined frame for what it says, whatever its CRC."""
    try:
        return unpack(data, stream=stream, seq=seq)
    except FrameError:
        name, envelope = struct.unpack_from("!BH", data, 4)
        begin = 7 + name + envelope
        camera = data[7 : 7 + name].decode("utf-8", "replace")
        return Body(camera, data[7 + name : begin], data[begin:])


def flood(run: Run) -> Figures:
    """Send noise between the datagrams of a good camera, 400 for each of its frames."""
    frames = 20 if run.quick else 750
    figures: Figures = {"frames": frames, "noise_a_second": 25 * _NOISE}
    with _quiet():
        for name, token in (("open", None), ("sealed", _TOKEN)):
            figures |= _flood(run, frames, name, token)
    return figures


def _flood(run: Run, frames: int, name: str, token: str | None) -> Figures:
    picture = codec.encode(pattern.draw(1, 1280, 720), 80)
    grant = Grant(name="camera", roles=frozenset({"ingest"}))
    tokens = Tokens([Token(digest=digest_of(_TOKEN), grant=grant)])
    most_held, count, spent = 0, 0, 0.0
    with ExitStack() as stack:
        seals = None if token is None else Seals(tokens)
        listening = stack.enter_context(closing(UdpListening(seals=seals)))
        kept = listening.listener._assembly
        if run.disarmed:
            strangers = kept._strangers
            stack.enter_context(patch.object(kept, "_know", lambda *_: None))
            stack.enter_context(patch.object(kept, "_poorest", lambda: next(iter(strangers))))
        endpoint = UdpEndpoint.read("udp://127.0.0.1:9", "cam1", token=token)
        carrier = UdpCarrier(endpoint)
        mouth = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        for seq in range(frames):
            headers, body = endpoint.request(_frame(seq, picture))
            good = carrier.datagrams("cam1", body, headers)
            bad = [_noise(run, good) for _ in range(_NOISE)]
            runs = [good[at : at + _RUN] for at in range(0, len(good), _RUN)]
            for number, some in enumerate(runs):
                # As much as comes in the pause that the sender makes.
                mixed = bad[number :: len(runs)] + some
                for each in mixed:
                    mouth.sendto(each, listening.address)
                count += len(mixed)
                began = time.thread_time()
                listening.take(count)
                spent += time.thread_time() - began
                most_held = max(most_held, kept.held)
        came = len(listening.taken.pictures)
        run.check(came == frames, f"{name}: {came} of {frames} frames came through the noise")
        limit = kept._max_held
        run.check(most_held <= limit, f"{name}: {most_held} bytes were held, at most {limit}")
        dropped = listening.listener.status().datagrams["dropped"]
    return {
        f"{name}_frames_taken": came,
        f"{name}_cpu_us_a_datagram": round(1e6 * spent / count, 1),
        f"{name}_most_held_bytes": most_held,
        f"{name}_dropped_by_kernel": dropped,
    }


def _noise(run: Run, good: list[bytes]) -> bytes:
    """Return bytes that are nothing, a piece of no frame, or one that is not what it says."""
    dice = run.random
    piece = bytearray(dice.choice(good))
    kind = dice.randrange(5)
    if kind == 0:
        return dice.randbytes(dice.randrange(1400))
    if kind == 1:
        return bytes(piece[: dice.randrange(len(piece))])
    if kind == 2:  # any part of any length, of a stream that is none
        piece[3:24] = dice.randbytes(21)
    else:  # a begun frame of a stream that is none
        piece[4:12] = dice.randbytes(8)
    return bytes(piece)


def _frame(seq: int, picture: bytes) -> EncodedFrame:
    return EncodedFrame(
        camera="cam1",
        epoch="trial",
        seq=seq,
        captured_at=time.time(),
        data=picture,
        width=1280,
        height=720,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the listener not tell of what is meant to go wrong."""
    logger = logging.getLogger("receiver.listeners")
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(logging.NOTSET)


@contextmanager
def _checksum(run: Run) -> Iterator[None]:
    if not run.disarmed:
        yield
        return
    with patch.object(assembly, "unpack", _trusting):
        yield


TRIALS = [
    Trial(
        "udp-loss",
        "of 720p frames in datagrams, of which 5 % get lost, as many come whole as can, without"
        " parity and with; and where bits are flipped besides, no picture comes that was not sent",
        loss,
        disarm="the checksum of a frame that was joined",
        disarm_quick=True,
    ),
    Trial(
        "udp-flood",
        "10,000 datagrams of noise a second cost a camera that begins among them none of its"
        " frames, and no memory without bounds, with tokens and without",
        flood,
        disarm="that whoever brings pieces that fit stays longer than noise: the oldest makes room",
        disarm_quick=True,
    ),
]
