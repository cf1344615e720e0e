"""Wall: many cameras, and what is to be said of them, in one response."""

from __future__ import annotations

from collections.abc import Callable, Generator

import flask

from receiver.feeds.follower import Follower, Skipped
from receiver.feeds.journal import Journal
from receiver.hub import Hub
from receiver.view.pulse import Pulse
from receiver.view.records import CONTENT_TYPE, record, record_line
from receiver.view.tile import Tile
from receiver.view.turns import Turns
from receiver.view.wall_query import WallQuery, read_wall_query
from shared.frame import EncodedFrame
from shared.latest import Closed
from shared.seats import Seats
from shared.view.renditions import Renditions, View
from shared.view.streaming import pieces, seated, streaming

#: So many results may wait for a reader; more would be old by the time it has them.
_MAX_LAG = 200


class Wall:
    """Answers with the hub's cameras as records. Any thread; each answer holds one.

    A picture is sent once, and only while it is its camera's newest: who reads slowly gets fewer.
    """

    def __init__(
        self,
        hub: Hub,
        renditions: Renditions[EncodedFrame],
        *,
        journal: Journal,
        pulse: Pulse,
        seats: Seats,
    ) -> None:
        self._hub = hub
        self._renditions = renditions
        self._journal = journal
        self._pulse = pulse
        self._seats = seats

    def answer(self, request: flask.Request) -> flask.Response:
        """Return the records, for as long as the viewer stays; raise QueryError."""
        query = read_wall_query(request.args)
        response = streaming(CONTENT_TYPE)
        if request.method == "HEAD":
            return response
        response.response = self.records(query)
        return seated(response, self._seats)

    def records(self, query: WallQuery) -> Generator[bytes]:
        """Yield one record after the other; the last one, when the receiver ends, is `end`."""
        turns = Turns()
        tiles: dict[tuple[str, View], Tile] = {}
        status = _Status(self._pulse, turns)
        results = _Results(self._journal, turns) if query.results else None
        try:
            while True:
                part = turns.next()
                if part is status:
                    self._hang(tiles, query, turns)
                if (data := part.take()) is not None:
                    yield from pieces(data)
        except Closed:
            yield record("end", {"reason": "the receiver shuts down"})
        finally:
            status.close()
            if results is not None:
                results.close()
            for tile in tiles.values():
                tile.close()

    def _hang(self, tiles: dict[tuple[str, View], Tile], query: WallQuery, turns: Turns) -> None:
        """Take down the tiles of cameras that are no more, and put up those of new ones."""
        cameras = {camera.name: camera for camera in self._hub.cameras()}
        for key, tile in list(tiles.items()):
            if cameras.get(key[0]) is not tile.camera:
                tiles.pop(key).close()
        for name, camera in cameras.items():
            for wish in query.of(name):
                if (name, wish.view) not in tiles:
                    tiles[name, wish.view] = Tile(camera, wish, self._renditions, turns=turns)


def blueprint(
    hub: Hub, renditions: Renditions[EncodedFrame], *, journal: Journal, pulse: Pulse, seats: Seats
) -> flask.Blueprint:
    """Return the route; each answer takes one of `seats`."""
    bp = flask.Blueprint("wall", __name__)
    wall = Wall(hub, renditions, journal=journal, pulse=pulse, seats=seats)

    @bp.get("/live")
    def get_live() -> flask.Response:
        """Many cameras in one response; ?show= &results=1, and as for stream.mjpg."""
        return wall.answer(flask.request)

    return bp


class _Status:
    """What is known of all cameras and hooks, each second; it is also the heartbeat."""

    def __init__(self, pulse: Pulse, turns: Turns) -> None:
        self.is_waiting = False
        self._turns = turns
        self._reader = pulse.status.reader()
        self.close: Callable[[], None] = pulse.listen(lambda: turns.ring(self))
        turns.ring(self)

    def take(self) -> bytes | None:
        data = self._reader.get(0)
        if data is not None:
            self._turns.ring(self)  # the end may have come meanwhile
        return data


class _Results:
    """All results as `GET /events` gives them; of those that a slow reader misses, how many."""

    def __init__(self, journal: Journal, turns: Turns) -> None:
        self.is_waiting = False
        self._turns = turns
        self._follower = Follower(journal, max_lag=_MAX_LAG)
        self.close: Callable[[], None] = journal.listen(lambda: turns.ring(self))
        turns.ring(self)

    def take(self) -> bytes | None:
        try:
            item = self._follower.next(0)
        except Closed:  # the status says when it is over
            return None
        if item is None:
            return None
        self._turns.ring(self)  # there may be more, after the others' turns
        if isinstance(item, Skipped):
            return record("skipped", {"results": item.count})
        return record_line("result", item.data)
