"""A wall on a bus shows the cameras of all receivers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from receiver.feeds.journal import Journal
from receiver.status import describe_all
from receiver.view.drawing import draw
from receiver.view.pulse import Pulse
from receiver.view.wall import Wall
from receiver.view.wall_query import WallQuery
from shared.seats import Seats
from shared.view.query import Query
from shared.view.renditions import Renditions
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import ReceiverEnd, Stage
from tests.records import parse


@contextmanager
def watching(receiver: ReceiverEnd) -> Iterator[Iterator[dict[str, Any]]]:
    """Return the heads of the pictures, for ten seconds at most."""
    pulse = Pulse(lambda: {"cameras": describe_all(receiver.hub)}, period=0.1)
    wall = Wall(receiver.hub, Renditions(draw), journal=Journal(), pulse=pulse, seats=Seats(1))
    end = threading.Timer(10, pulse.ask_to_stop)
    end.start()
    try:
        with pulse, closing(wall.records(WallQuery(Query()))) as records:
            heads = (parse(record)[0] for record in records)
            yield (head for head in heads if head["kind"] == "picture")
    finally:
        end.cancel()
        end.join()


def test_the_cameras_of_other_receivers_are_shown_and_vanish_with_who_watched(
    stage: Stage,
) -> None:
    first, second = stage.receiver(), stage.receiver()
    first.publish()
    wait_until("the camera", lambda: second.hub.get("cam1") is not None)

    with watching(second) as pictures:
        head = next(pictures)
        assert (head["camera"], head["state"]) == ("cam1", "live")
        first.publish()
        assert (head["seq"], next(pictures)["seq"]) == (0, 1)
        assert second.camera().is_watched()

    assert second.camera().viewers == 0
