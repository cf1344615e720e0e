"""Mischief: all that a simulated camera can be made to do wrong while it runs."""

from __future__ import annotations

import logging

from camera.faults import Corruption, Fault, Faults
from camera.running import Running

logger = logging.getLogger(__name__)


class Mischief:
    """The handles of SimulatedCamera; any thread."""

    def __init__(self, *, codec: str, size: tuple[int, int] | None) -> None:
        self._codec = codec
        self._size = size
        self._faults = Faults()
        self._running: Running | None = None

    def stall(self) -> None:
        """Send no frame any more, and keep the connections."""
        self._set(stalled=True)

    def freeze(self) -> None:
        """Go on sending, but the same picture every time."""
        self._set(frozen=True)

    def silence(self) -> None:
        """Take connections, and say nothing any more in any of them."""
        self._set(silent=True)

    def deny(self) -> None:
        """Answer every request with 401."""
        self._set(denying=True)

    def hide(self) -> None:
        """Answer with 404 whoever asks what is to be seen."""
        self._set(hiding=True)

    def forget_time(self) -> None:
        """Give every packet the time 0."""
        self._set(timeless=True)

    def corrupt(self, share: float, seed: int = 0, *, how: str = "corrupt") -> None:
        """Damage this share of the packets, the same ones for the same seed; see Corruption."""
        self._faults.corruption = Corruption(share, seed, how)

    def refuse(self) -> None:
        """Refuse new connections; those that are open go on."""
        if self._running is not None:
            self._running.refuse()

    def drop_clients(self) -> None:
        """Cut every connection."""
        if self._running is not None:
            self._running.drop()

    def resize(self, width: int, height: int) -> None:
        """Change the size in mid-stream, by new parameter sets in the next key frame.

        Raise ValueError for a size that the codec or the test pattern cannot have.
        """
        if self._running is not None:
            self._running.stream.resize(width, height)
        self._size = (width, height)

    def recode(self, codec: str) -> None:
        """Change the codec in mid-stream, without a word to the clients. It stays so.

        Raise ValueError where the codec cannot carry the size.
        """
        if self._running is not None:
            self._running.stream.recode(codec)
        self._codec = codec

    def jump(self, seconds: float) -> None:
        """Have the timestamps jump, forward or back; the pictures go on."""
        if self._running is not None:
            self._running.stream.leap(seconds)

    def wrap(self) -> None:
        """Have the timestamps reach their highest number within a second, and begin anew."""
        if self._running is not None:
            self._running.stream.wrap()

    def resume(self) -> None:
        """End every fault; size, codec and time stay as they are."""
        self._faults.clear()
        if self._running is not None:
            self._running.stream.heed_faults()
            self._running.listen()

    def apply(self, fault: Fault) -> None:
        """Do what `fault` names, at once."""
        logger.info("fault: %s", fault.name)
        match fault.name:
            case "stall":
                self.stall()
            case "freeze":
                self.freeze()
            case "silence":
                self.silence()
            case "deny":
                self.deny()
            case "hide":
                self.hide()
            case "timeless":
                self.forget_time()
            case "wrap":
                self.wrap()
            case "jump":
                self.jump(fault.seconds)
            case "recode":
                self.recode(fault.codec)
            case "corrupt" | "truncate" | "garble" | "lose":
                self.corrupt(fault.share, fault.seed, how=fault.name)
            case "refuse":
                self.refuse()
            case "drop":
                self.drop_clients()
            case "resize" if fault.size is not None:
                self.resize(*fault.size)
            case "resume":
                self.resume()
            case _:
                raise ValueError(f"there is no fault {fault.name!r}")

    def _set(self, **flags: bool) -> None:
        for name, value in flags.items():
            setattr(self._faults, name, value)
        if self._running is not None:
            self._running.stream.heed_faults()
