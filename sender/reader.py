"""Reader: drains one camera on a thread of its own, and connects again whenever it is lost."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sender.intake import Intake, State
from sender.limits import Limits
from sender.picture import Picture
from sender.slot import Slot, Taker
from sender.sources.contract import EndOfSource, Reason, Shot, Source, SourceError
from sender.thinner import Thinner
from sender.view.window import Window
from shared.backoff import Backoff
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: A camera that comes back is found again within this time.
_CEILING = 2.0
#: For what a person has to mend, after so many tries; cameras lock an account that fails too often,
#: and one that starts may have nothing under its path yet.
_SLOW_PAUSE = 60.0
_QUICK_TRIES: dict[Reason, int] = {"auth": 0, "not_found": 2}
_PHASES: dict[Reason, State] = {"auth": "auth_failed", "not_found": "not_found"}
#: Frames must have come for so long before a loss counts as the first again.
_SETTLED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedFrame:
    """A picture that nobody has encoded yet. `captured` is monotonic seconds."""

    camera: str
    epoch: str
    seq: int
    captured: float
    picture: Picture


class Reader(Worker):
    """Put every frame that `limits` and the decoder let through into `slot`, numbered.

    An epoch begins with each connection and each change of size, and `seq` counts from 0 within
    it, so a jump at the receiver is a frame that the poster's books explain; only a recording's
    frames keep the places that they have. Whatever is in the slot is replaced, unless there is a
    `taker`: then the reader waits until it was taken, and until a frame is due, so that a file is
    delivered whole. Viewers see in the `window` also what is thinned out.

    A lost source is opened again for ever, with growing pauses. A source that ends by itself, that
    is permanently wrong, or that fails half-way through a finite length ends the reader and closes
    the slot.
    """

    def __init__(
        self,
        camera: str,
        source: Source,
        *,
        slot: Slot[CapturedFrame],
        intake: Intake,
        limits: Limits | None = None,
        keep_corrupt: bool = False,
        taker: Taker | None = None,
        window: Window | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"reader of {camera}")
        self._camera = camera
        self._source = source
        self._slot = slot
        self._intake = intake
        self._limits = limits or Limits(camera)
        self._keep_corrupt = keep_corrupt
        self._taker = taker
        self._window = window
        self._backoff = backoff or Backoff(0.25, _CEILING)
        self._slow_backoff = Backoff(_SLOW_PAUSE, _SLOW_PAUSE)
        self._clock = clock
        self._trouble = Trouble(
            f"camera {camera}", over="frames come again", logger=logger, clock=clock
        )
        self._is_open = False
        self._opened_at = 0.0
        #: When the open began whose first picture is still to come.
        self._opening_at: float | None = None
        self._thinner = Thinner(None)
        #: Since when (monotonic) the source has been at work on one call; None between calls.
        self.busy_since: float | None = None

    def step(self) -> None:
        """Open the source, or read one frame from it."""
        try:
            if not self._is_open:
                self._open()
            else:
                self._take(self._read())
        except SourceError as exc:
            if not self.stopping:
                self._lose(exc)
        except EndOfSource:
            if not self.stopping:
                self._end("ended")
                logger.info("camera %s: ended", self._camera)

    def close(self) -> None:
        self._is_open = False
        with self._busy():
            self._source.close()

    def interrupt(self) -> None:
        """Make a source that waits return soon; from any thread."""
        self._source.interrupt()

    def _open(self) -> None:
        self._opening_at = self._clock()
        with self._busy():
            self._source.open()
        if self.stopping:
            return
        self._is_open = True
        self._opened_at = self._clock()
        self._thinner = Thinner(self._limits.fps)
        intake = self._intake
        intake.length = self._source.length
        if intake.epoch is not None:
            intake.reconnects += 1
        self._begin_epoch()

    def _read(self) -> Shot:
        with self._busy():
            return self._source.read()

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self.busy_since = self._clock()
        try:
            yield
        finally:
            self.busy_since = None

    def _take(self, shot: Shot) -> None:
        if self.stopping:
            return
        intake = self._intake
        intake.rate.tick()
        if self._opening_at is not None:
            intake.first_frame, self._opening_at = self._clock() - self._opening_at, None
        intake.corrupt += shot.lost + shot.corrupt
        if shot.corrupt and not self._keep_corrupt:
            return
        self._notice(shot.picture)
        if self._taker is not None:
            if not self._wait_for(self._taker):
                return
        elif not self._is_due():
            intake.thinned += 1
            self._show(shot, None)
            return
        if shot.place is not None:
            intake.epoch, intake.seq = shot.place.epoch, shot.place.seq
        else:
            intake.seq = 0 if intake.seq is None else intake.seq + 1
        assert intake.epoch is not None
        self._slot.put(
            CapturedFrame(
                camera=self._camera,
                epoch=intake.epoch,
                seq=intake.seq,
                captured=shot.captured,
                picture=shot.picture,
            )
        )
        self._show(shot, intake.seq)

    def _show(self, shot: Shot, seq: int | None) -> None:
        if self._window is not None:
            epoch = self._intake.epoch or ""
            self._window.show(shot.picture, epoch=epoch, seq=seq, captured=shot.captured)

    def _notice(self, picture: Picture) -> None:
        """Keep state and size true, and tell of their changes."""
        intake = self._intake
        size = (picture.width, picture.height)
        known = (intake.width, intake.height)
        if size != known:
            if known != (None, None):
                self._begin_epoch()
            intake.width, intake.height = size
            logger.info("camera %s: the picture is %dx%d", self._camera, *size)
        intake.last_frame = self._clock()
        intake.phase = "live"
        self._trouble.worked()
        if intake.last_frame - self._opened_at >= _SETTLED:
            self._backoff.reset()

    def _begin_epoch(self) -> None:
        self._intake.epoch = secrets.token_hex(8)
        self._intake.seq = None

    def _wait_for(self, taker: Taker) -> bool:
        """Wait until the slot is free and a frame is due; False when stopped meanwhile."""
        while not self.stopping:
            if taker.wait_until_taken(0.25):
                self._intake.interval = self._limits.interval
                if self._is_due():
                    return True
                self.pause(self._thinner.seconds_left())
        return False

    def _is_due(self) -> bool:
        self._thinner.fps = self._limits.fps
        return self._thinner.wants(self._clock())

    def _lose(self, exc: SourceError) -> None:
        intake = self._intake
        was_open = self._is_open
        # Interrupted not by a stop, so by the watchdog.
        sentence = intake.error = str(exc) if exc.reason != "interrupted" else "no sign of life"
        self.close()
        if self.stopping:
            return
        if exc.permanent or (was_open and self._source.finite):
            logger.error("camera %s: %s", self._camera, sentence)
            self._end("failed")
            return
        intake.phase = _PHASES.get(exc.reason, "retrying")
        sentence = f"{'lost' if was_open else 'cannot be opened'} ({sentence}), trying again"
        self._trouble.happened(exc.reason, sentence)
        is_slow = self._backoff.failures >= _QUICK_TRIES.get(exc.reason, math.inf)
        self.pause((self._slow_backoff if is_slow else self._backoff).next())

    def _end(self, phase: Literal["ended", "failed"]) -> None:
        self._intake.phase = phase
        self._slot.close()
        if self._window is not None:
            self._window.close()
        self.finish()
