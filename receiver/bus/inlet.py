"""Inlet: hears from Redis what became of frames, this receiver's and the others'."""

from __future__ import annotations

from receiver.bus import keys
from receiver.bus.link import PATIENCE, BusDown, Client, Link
from receiver.bus.members import Members
from receiver.bus.messages import Garbage, Outcome, make_garbage, read_outcome, read_result
from receiver.bus.outstanding import Outstanding
from receiver.hub import Hub
from shared.worker import Worker

_AT_ONCE = 100
#: Seconds for what is told of a dead worker's frame, beyond what its hook may take.
_MARGIN = 10.0


class Inlet(Worker):
    """Reads the stream of outcomes, and enters each where it belongs."""

    def __init__(self, hub: Hub, link: Link, members: Members, outstanding: Outstanding) -> None:
        super().__init__("bus inlet")
        self._hub = hub
        self._link = link
        self._members = members
        self._outstanding = outstanding
        self._last: bytes | None = None
        self._garbage = make_garbage()

    def step(self) -> None:
        self._give_up(
            keys.FRAME_STAYS + self._members.patience() + _MARGIN, "no worker answered in time"
        )
        if not self._link.wait(PATIENCE):
            return
        try:
            entries = self._link.call(self._read)
            for number, fields in entries:
                self._last = number
                try:
                    self._enter(read_outcome(fields.get(b"message", b"")))
                except Garbage as exc:
                    self._garbage.happened("garbage", str(exc))
            self._garbage.worked()
        except BusDown:
            self.pause(PATIENCE)

    def forget(self) -> None:
        """Begin anew: Redis has lost all that it had."""
        self._last = b"0-0"
        self._give_up(0.0, "the bus lost it: Redis began anew")

    def _give_up(self, seconds: float, why: str) -> None:
        for debt in self._outstanding.pop_older(seconds):
            debt.fail(why)

    def _read(self, client: Client) -> list[tuple[bytes, dict[bytes, bytes]]]:
        if self._last is None:
            newest = client.xrevrange(keys.RESULTS, count=1)
            self._last = newest[0][0] if newest else b"0-0"
        found = client.xread(
            {keys.RESULTS: self._last}, count=_AT_ONCE, block=round(PATIENCE * 1000)
        )
        return found[0][1] if found else []

    def _enter(self, outcome: Outcome) -> None:
        is_ours = outcome.id.receiver == self._members.me
        debt = self._outstanding.pop(outcome.id.number) if is_ours else None
        if debt is not None and outcome.facts is None:
            debt.supersede()
        elif debt is not None:
            debt.camera.finish(read_result(outcome, debt.frame, self._drawing(outcome)))
        elif not is_ours and outcome.facts is not None:
            camera = self._hub.meet(outcome.camera)
            if camera is not None:
                drawing = self._drawing(outcome) if camera.is_watched() else None
                camera.show_result(read_result(outcome, None, drawing))

    def _drawing(self, outcome: Outcome) -> bytes | None:
        """Return what the hook drew, or into the camera's next frame if that was faster."""
        if not outcome.drawn:
            return None
        try:
            drawing: bytes | None = self._link.call(lambda client: client.get(outcome.drawn))
            return drawing
        except BusDown:
            return None
