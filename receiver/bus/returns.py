"""Returns: tells all receivers what became of the frames that this process took from the bus."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass

from receiver.bus import keys, messages, scripts
from receiver.bus.link import PATIENCE, BusDown, BusRefused, Client, Link
from receiver.bus.tokens import Taken
from receiver.result import Result
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: How many results wait for Redis to come back.
_MOST = 256
#: Seconds for the receiver to fetch what a hook drew, where it stands under a key of its own.
_KEPT_DRAWING = 5.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One result on its way, and what it is the result of."""

    taken: Taken
    result: Result


class Returns(Worker):
    """Brings results to Redis in the order in which they came. `put` never blocks.

    While the bus is down the newest are kept; what is older is counted as lost.
    """

    def __init__(self, link: Link) -> None:
        super().__init__("bus returns")
        self._link = link
        self._changed = threading.Condition()
        self._parcels: deque[Parcel] = deque()
        self.lost = 0

    def put(self, parcel: Parcel) -> None:
        with self._changed:
            self._parcels.append(parcel)
            if len(self._parcels) > _MOST:
                self._parcels.popleft()
                self.lost += 1
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def step(self) -> None:
        with self._changed:
            if not self._parcels and not self.stopping:
                self._changed.wait(PATIENCE)
            if not self._parcels:
                return
            parcel = self._parcels[0]
        if self._link.wait(PATIENCE):
            self._try(parcel)

    def close(self) -> None:
        """Bring what is left, if Redis takes it."""
        while self._parcels and self._link.is_up:
            self._try(self._parcels[0])
        self.lost += len(self._parcels)

    def _try(self, parcel: Parcel) -> None:
        try:
            self._link.call(lambda client: _bring(client, parcel))
        except BusRefused:
            self.lost += 1
        except BusDown:
            return
        with self._changed:
            if self._parcels and self._parcels[0] is parcel:
                self._parcels.popleft()


def _bring(client: Client, parcel: Parcel) -> None:
    result, token = parcel.result, parcel.taken.token
    drawn = ""
    if result.picture is not result.frame:
        drawn = keys.drawn(token.frame_key)
        # Of a frame with a key of its own there may be many.
        stay = _KEPT_DRAWING if token.key else keys.FRAME_STAYS
        client.set(drawn, result.picture.data, px=round(stay * 1000))
    message = messages.write_outcome(parcel.taken.id, token.camera, result, drawn)
    is_first = client.register_script(scripts.FINISH)(
        keys=[keys.RESULTS, token.stream],
        args=[message, round(keys.RESULT_STAYS * 1000), keys.GROUP, token.id],
    )
    client.hdel(keys.taken(token.camera), token.id)
    if not is_first:
        # This worker was taken for dead, and another one spoke for the frame.
        logger.info("bus: a result of camera %s came too late", token.camera)
    elif token.key:
        client.unlink(token.key)
        client.hdel(keys.told(token.stream), token.key)
