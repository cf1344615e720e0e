"""Faults: how the camera misbehaves, for tests of whoever reads it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_PLAIN = (
    *("stall", "drop", "freeze", "refuse", "silence", "deny", "hide", "wrap", "timeless"),
    "resume",
)
#: What is done to a share of the packets.
_DAMAGES = ("corrupt", "truncate", "garble", "lose")
_CODECS = ("h264", "h265", "mjpeg")
_SPELLINGS = (
    f"{', '.join(_PLAIN)}, corrupt=SHARE or corrupt=SHARE:SEED (truncate, garble, lose likewise), "
    "resize=WIDTHxHEIGHT, recode=CODEC, jump=SECONDS, "
    "each also later, as in stall-after=FRAMES or resize-after=FRAMES:WIDTHxHEIGHT"
)
_SIZE_FORM = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_SECONDS_FORM = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_SHARE_FORM = re.compile(r"(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)(?::(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, once `after` frames were sent."""

    name: str
    after: int = 0
    size: tuple[int, int] | None = None
    share: float = 0.0
    seed: int = 0
    codec: str = ""
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault that e.g. `stall-after=50` or `corrupt=0.05` names, or ValueError."""
        head, _, tail = text.partition("=")
        name = head.removesuffix("-after")
        after, value = "0", tail
        if name != head:
            after, _, value = tail.partition(":")
        if re.fullmatch(r"\d{1,9}", after, re.ASCII):
            if name in _PLAIN and not value:
                return cls(name, int(after))
            if name == "resize" and (size := _SIZE_FORM.fullmatch(value)):
                return cls(name, int(after), (int(size[1]), int(size[2])))
            if name in _DAMAGES and (share := _SHARE_FORM.fullmatch(value)):
                return cls(name, int(after), share=float(share[1]), seed=int(share[2] or 0))
            if name == "recode" and value in _CODECS:
                return cls(name, int(after), codec=value)
            if name == "jump" and (seconds := _SECONDS_FORM.fullmatch(value)):
                return cls(name, int(after), seconds=float(seconds[0]))
        raise ValueError(f"expected {_SPELLINGS}")


class Corruption:
    """Damage a share of the packets, the same ones for the same seed.

    `how`: corrupt changes some bytes of the payload, truncate cuts it short, garble puts noise in
    the place of the whole packet, and lose leaves it out.
    """

    def __init__(self, share: float, seed: int, how: str = "corrupt") -> None:
        self._share = share
        self._random = random.Random(seed)
        self._how = how
        #: Packets that were damaged.
        self.count = 0

    def damage(self, packet: bytes) -> bytes:
        """Return `packet`, at times damaged, with its header unless it is garbled; b"" is none."""
        if self._random.random() >= self._share:
            return packet
        self.count += 1
        if self._how == "lose":
            return b""
        if self._how == "truncate":
            return packet[: self._random.randrange(12, len(packet))]
        if self._how == "garble":
            return self._random.randbytes(self._random.randrange(1, len(packet) + 1))
        damaged = bytearray(packet)
        for _ in range(8):
            damaged[self._random.randrange(12, len(damaged))] ^= self._random.randrange(1, 256)
        return bytes(damaged)


class Faults:
    """What is wrong with the camera now. Set by any thread; each flag is read on its own."""

    def __init__(self) -> None:
        #: No frame is made or sent; requests are answered.
        self.stalled = False
        #: Frames go on, all with the same picture.
        self.frozen = False
        #: Connections are taken, and nothing is sent in them: no answer, no frame.
        self.silent = False
        #: Every request is answered with 401.
        self.denying = False
        #: There is nothing under any path: 404.
        self.hiding = False
        #: Every packet has the time 0.
        self.timeless = False
        self.corruption: Corruption | None = None

    def clear(self) -> None:
        self.stalled = self.frozen = self.silent = self.denying = False
        self.hiding = self.timeless = False
        self.corruption = None


class Schedule:
    """Faults that wait for their frame."""

    def __init__(self, faults: tuple[Fault, ...], apply: Callable[[Fault], None]) -> None:
        self._waiting = sorted(faults, key=lambda fault: fault.after)
        self._apply = apply

    def advance(self, sent: int) -> None:
        """Apply every fault whose time has come, now that `sent` frames were sent."""
        while self._waiting and self._waiting[0].after <= sent:
            self._apply(self._waiting.pop(0))
