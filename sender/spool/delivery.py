"""EveryDelivery: every frame of a camera, by way of the disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from sender.books import Ledger
from sender.courier import Courier
from sender.encoder import Encoder
from sender.spool.poster import SpoolPoster
from sender.spool.queue import FrameQueue
from sender.spool.spool import Spool
from sender.spool.spooler import Spooler
from sender.spool.stock import Stock
from sender.stopwatch import Stopwatch
from sender.turn import Turn
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Of the time that is left for a reply, so much is for waiting until the hook is done with a frame.
_SHARE = 0.8


class EveryDelivery:
    """A queue, a spooler, a spool and a poster. See Delivery."""

    def __init__(
        self,
        camera: str,
        spool: Spool,
        courier: Courier,
        encoder: Encoder,
        *,
        deadline: float,
        whole: bool = False,
        stopwatch: Stopwatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deadline` is the courier's seconds for a reply. `whole`: the reader waits for the spool,
        as it may for a file.
        """
        self._camera = camera
        self._spool = spool
        self.slot = FrameQueue()
        self.taker = self.slot if whole else None
        self.ledger = Ledger(self.slot, stock=spool.stock, clock=clock)
        self._turn = Turn(clock=clock)
        spooler = Spooler(
            *(camera, self.slot, spool),
            encoder=encoder,
            ledger=self.ledger,
            patient=whole,
            clock=clock,
        )
        self._poster = SpoolPoster(
            *(camera, spool, courier),
            ledger=self.ledger,
            turn=self._turn,
            wait=deadline * _SHARE,
            trace_of=spooler.take_trace,
            stopwatch=stopwatch,
            clock=clock,
        )
        self.workers: Sequence[Worker] = (spooler, self._poster)

    def start(self) -> None:
        stock = self._spool.stock()
        if stock.recovered:
            logger.info(
                "camera %s: %s in %s, to be sent first",
                *(self._camera, _wait(stock.recovered, " of an earlier run"), self._spool.folder),
            )
        if stock.damaged:
            logger.warning(
                "camera %s: the end of %s is damaged, as after a power cut; what was there is lost",
                self._camera,
                self._spool.folder,
            )
        for worker in self.workers:
            worker.start()

    def interrupt(self) -> None:
        self._poster.interrupt()

    def close(self) -> None:
        waiting = self._spool.stock().waiting
        try:
            self._spool.close()
        except OSError as exc:
            logger.warning(
                "camera %s: the disk does not keep what is stored (%s: %s)",
                *(self._camera, self._spool.folder, exc.strerror),
            )
        if waiting:
            logger.info(
                "camera %s: %s in %s until the next start",
                *(self._camera, _wait(waiting), self._spool.folder),
            )

    @property
    def is_resting(self) -> bool:
        return self._turn.is_resting

    @property
    def is_over(self) -> bool:
        return not self._poster.alive

    def stock(self) -> Stock:
        return self._spool.stock()

    def status(self) -> dict[str, Any]:
        stock = self._spool.stock()
        return {
            "delivery": "every",
            "spool": str(self._spool.folder),
            "spool_bytes": stock.bytes,
            "spool_waiting": stock.waiting,
            "spool_oldest_seconds": round(stock.oldest_seconds, 3),
        }


def _wait(count: int, whose: str = "") -> str:
    return f"1 frame{whose} waits" if count == 1 else f"{count} frames{whose} wait"
