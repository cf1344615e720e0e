"""Faults: how the camera misbehaves, for tests of whoever reads it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_PLAIN = ("stall", "drop", "freeze", "refuse", "silence", "deny", "resume")
_SPELLINGS = (
    f"{', '.join(_PLAIN)}, corrupt=SHARE or corrupt=SHARE:SEED, resize=WIDTHxHEIGHT, "
    "each also later, as in stall-after=FRAMES or resize-after=FRAMES:WIDTHxHEIGHT"
)
_SIZE_FORM = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_SHARE_FORM = re.compile(r"(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)(?::(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, once `after` frames were sent."""

    name: str
    after: int = 0
    size: tuple[int, int] | None = None
    share: float = 0.0
    seed: int = 0

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
            if name == "corrupt" and (share := _SHARE_FORM.fullmatch(value)):
                return cls(name, int(after), share=float(share[1]), seed=int(share[2] or 0))
        raise ValueError(f"expected {_SPELLINGS}")


class Corruption:
    """Damage a share of the packets, the same ones for the same seed."""

    def __init__(self, share: float, seed: int) -> None:
        self._share = share
        self._random = random.Random(seed)

    def damage(self, packet: bytes) -> bytes:
        """Return `packet`, at times with some bytes of its payload changed; never its header."""
        if self._random.random() >= self._share:
            return packet
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
        self.corruption: Corruption | None = None

    def clear(self) -> None:
        self.stalled = self.frozen = self.silent = self.denying = False
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
