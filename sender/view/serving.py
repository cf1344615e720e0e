"""Serving: puts together what answers on the sender's status port."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sender import status
from sender.view import page
from sender.view.app import create_app
from sender.view.server import PortError, Server
from sender.view.sight import draw
from sender.view.window import Windows
from shared.access.refusals import Refusals
from shared.seats import AllSeats, Seats
from shared.view import live
from shared.view.renditions import Renditions

__all__ = ["PortError", "make_server"]

logger = logging.getLogger(__name__)

_PREFIX = "framepost_sender"
#: Each keeps a picture as the camera gave it, some 12 MB at 4K. What more wish is made each time.
_RENDITIONS = 32
#: Connections besides those of viewers; each is answered at once, or ended after some seconds.
_SHORT = 64


def make_server(
    place: tuple[str, int],
    windows: Windows,
    *,
    viewers: int,
    token: str | None,
    is_exposed: bool,
    registry: CollectorRegistry,
    cameras: Callable[[], Sequence[Any]],
    alive: status.Check,
) -> Server:
    """Return a server that listens at `place` (host, port), and is to be started; raise PortError.

    So many `viewers` may have streams at once. For `token` and `is_exposed` see Guard, for the rest
    `sender.status`.
    """
    renditions = Renditions(draw, limit=_RENDITIONS, prefix=_PREFIX)
    for window in windows.cameras():
        window.listen(renditions.expire)
    seats = Seats(viewers)
    refusals = Refusals(prefix=_PREFIX)
    app = create_app(
        [
            status.blueprint(registry=registry, cameras=cameras, alive=alive),
            live.blueprint(windows, renditions, seats=seats),
            page.blueprint(),
        ],
        token=token,
        is_exposed=is_exposed,
        refusals=refusals,
    )
    host, port = place
    server = Server(app, host, port, connections=viewers + _SHORT, end_streams=windows.close)
    registry.register(_Numbers(renditions, AllSeats(_PREFIX, viewers=seats), refusals))
    url = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
    closed = "no pictures, for want of SENDER_VIEW_TOKEN or --insecure"
    shown = closed if is_exposed else f"live pictures on {url}/"
    logger.info("status on %s/status and %s", url, shown)
    return server


class _Numbers(Collector):
    def __init__(self, *parts: Renditions[Any] | AllSeats | Refusals) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        for part in self._parts:
            yield from part.collect()
