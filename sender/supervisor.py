"""Supervisor: looks after the pipelines from outside their threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from sender.books import Books
from sender.pipeline import Pipeline

logger = logging.getLogger(__name__)

#: So many threads that hang are a machine in trouble; a fresh process gets rid of them.
_MAX_ABANDONED = 5
#: On stop: how long a frame on its way may take, and how long all may take together.
_GRACE = 0.7
_LIMIT = 1.6


class Supervisor:
    """Start, watch and stop the pipelines; all from one thread, which calls `step` often."""

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        *,
        summary_every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipelines = pipelines
        self._summary_every = summary_every
        self._clock = clock
        self._started = 0.0
        self._summary_at = 0.0
        self._before: dict[str, Books] = {}

    def start(self) -> None:
        self._started = self._clock()
        self._summary_at = self._started + self._summary_every
        for pipeline in self._pipelines:
            self._before[pipeline.camera] = pipeline.ledger.books()
            pipeline.start()

    def step(self) -> int | None:
        """Return the exit status when it is time to end, None while it is not."""
        for pipeline in self._pipelines:
            pipeline.watch()
            if pipeline.bugs():
                logger.error("camera %s: ends because of a bug in it", pipeline.camera)
                return 1
        if sum(pipeline.intake.abandoned for pipeline in self._pipelines) >= _MAX_ABANDONED:
            logger.error(
                "%d threads hang in their sources and cannot be ended, so the sender ends",
                _MAX_ABANDONED,
            )
            return 1
        if all(pipeline.is_finished for pipeline in self._pipelines):
            return 0 if all(pipeline.is_delivered for pipeline in self._pipelines) else 1
        if self._clock() >= self._summary_at:
            self._summary_at += self._summary_every
            self._summarise()
        return None

    def problems(self) -> list[str]:
        """Return a sentence for each thing that a restart would mend; any thread."""
        return [
            f"camera {pipeline.camera}: one of its threads died"
            for pipeline in self._pipelines
            if pipeline.bugs()
        ]

    def stop(self) -> bool:
        """End all threads within 2 s and tell what was done; False when one hangs."""
        for pipeline in self._pipelines:
            pipeline.ask_to_stop()
        asked = self._clock()
        if not self._join(asked + _GRACE):
            for pipeline in self._pipelines:
                pipeline.interrupt()
        is_over = self._join(asked + _LIMIT)
        seconds = asked - self._started
        for pipeline in self._pipelines:
            books = pipeline.ledger.books()
            logger.info(
                "camera %s: in all captured=%d%s posted=%d superseded=%d%s refused=%d failed=%d"
                " waiting=%d seconds=%.1f fps=%.1f",
                pipeline.camera,
                books.captured,
                f" recovered={books.recovered}" if books.recovered else "",
                books.posted,
                books.superseded,
                f" expired={books.expired}" if books.expired else "",
                sum(books.refused.values()),
                sum(books.failed.values()),
                books.waiting,
                seconds,
                books.posted / max(seconds, 0.001),
            )
        return is_over

    def _join(self, until: float) -> bool:
        # Each has something to put away at its end.
        ended = [pipeline.join(until) for pipeline in self._pipelines]
        return all(ended)

    def _summarise(self) -> None:
        for pipeline in self._pipelines:
            logger.info("%s", _summary(pipeline, self._before[pipeline.camera]))
            self._before[pipeline.camera] = pipeline.ledger.books()


def _summary(pipeline: Pipeline, before: Books) -> str:
    """Return one line about what was done since `before`."""
    now = pipeline.ledger.books()
    age = pipeline.ledger.age()
    state = pipeline.intake.state()
    is_spooled = pipeline.stock() is not None
    return (
        f"camera {pipeline.camera}: posted={now.posted - before.posted}"
        f" superseded={now.superseded - before.superseded}"
        f" refused={sum(now.refused.values()) - sum(before.refused.values())}"
        f" failed={sum(now.failed.values()) - sum(before.failed.values())}"
        + (f" expired={now.expired - before.expired} waiting={now.waiting}" * is_spooled)
        + f" fps={pipeline.ledger.rate.per_second():.1f}"
        f" age_ms={'-' if age is None else round(age * 1000)}"
        + ("" if state == "live" else f" state={state}")
    )
