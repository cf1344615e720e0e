"""Progress: how far the replay is, as a bar on a terminal, else as a line now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Never, TextIO

from tqdm import tqdm

logger = logging.getLogger(__name__)

_EVERY = 10.0


class Progress:
    """Count frames. For one thread; `close` it before the last words."""

    def __init__(
        self, total: int, *, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`total` may be a guess."""
        self._total = total
        self._clock = clock
        self._begun = self._said = clock()
        self.frames = 0
        self._bar: tqdm[Never] | None = None
        if stream.isatty():
            # Its monitor is one more thread, for loops that forget to report.
            tqdm.monitor_interval = 0
            self._bar = tqdm(total=total, unit=" frames", file=stream, smoothing=0.1)

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return self._clock() - self._begun

    def step(self) -> None:
        """Count one frame."""
        self.frames += 1
        if self._bar is not None:
            self._bar.update()

    def look(self) -> None:
        """Say where it stands, if that is due; call it some times a second."""
        now = self._clock()
        if self._bar is not None or now - self._said < _EVERY:
            return
        self._said = now
        rate = self.frames / (now - self._begun)
        left = f", {(self._total - self.frames) / rate:.0f} s left" if rate else ""
        logger.info("%d of %d frames, %.1f a second%s", self.frames, self._total, rate, left)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
