"""Recording: all of it as one part of the receiver; does nothing where nothing is recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import flask
from prometheus_client.metrics_core import Metric

from receiver.camera import Observer
from receiver.hub import Hub
from receiver.recording import routes
from receiver.recording.figures import figures
from receiver.recording.plan import Plan
from receiver.recording.recorder import Recorder
from shared.seats import Seats

logger = logging.getLogger(__name__)

#: To write what waits and to end the files, in seconds.
_STOP = 1.5


class Recording:
    """The recorder, its routes and its figures. Any thread."""

    def __init__(self, plan: Plan | None) -> None:
        self._recorder = None if plan is None else Recorder(plan)

    @property
    def observers(self) -> Sequence[Observer]:
        """Who of the hub's observers records; nobody, most often."""
        return [] if self._recorder is None else [self._recorder]

    def blueprint(self, hub: Hub, *, seats: Seats) -> flask.Blueprint:
        return routes.blueprint(self._recorder, hub=hub, seats=seats)

    def start(self) -> None:
        if self._recorder is not None:
            logger.info("recording %s", self._recorder.plan)
            self._recorder.start()

    def stop(self) -> None:
        if self._recorder is not None:
            self._recorder.stop(_STOP)

    @property
    def error(self) -> BaseException | None:
        """What ended the recorder's thread, if something did."""
        return None if self._recorder is None else self._recorder.error

    @property
    def problem(self) -> str | None:
        """Why something cannot be written now, in one sentence."""
        return None if self._recorder is None else self._recorder.problem

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        return [] if self._recorder is None else figures(self._recorder)
