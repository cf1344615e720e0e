"""Live: the routes that show pictures, one at a time or as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Generic, Protocol

import flask

from shared import wire
from shared.errors import FramepostError
from shared.latest import Closed, Latest
from shared.problem import problem
from shared.seats import Seats
from shared.view.freshness import state_at
from shared.view.mjpeg import CONTENT_TYPE, Multipart, shows_late
from shared.view.query import QueryError, read_query
from shared.view.renditions import P, Rendition, Renditions, Shown, View
from shared.view.streaming import NO_STORE, pieces, seated, streaming
from shared.view.viewer import Camera, watch

#: How old the picture is, in a word: live, stale or gone; frozen where the camera repeats it.
STATE = "X-Frame-State"
#: Seconds by which a picture may lag behind another process's, and in which that is fetched.
_BEHIND = 1.0
_FETCH = 2.0


class NoPicture(FramepostError):
    """Raised when there is nothing to show under a name; answered with 404 and this sentence."""


class Cameras(Protocol[P]):
    """Those there are, by name."""

    def get(self, name: str) -> Camera[P] | None: ...
    def cameras(self) -> Sequence[Camera[P]]: ...


class Live(Generic[P]):
    """Answers with the cameras' pictures. Any thread."""

    def __init__(
        self,
        cameras: Cameras[P],
        renditions: Renditions[P],
        *,
        seats: Seats,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cameras = cameras
        self._renditions = renditions
        self._seats = seats
        self._clock = clock

    def snapshot(self, name: str | None, request: flask.Request) -> flask.Response:
        """Return the newest picture, or 304 when it is the one that `request` has already."""
        query = read_query(request.args)
        camera = self._camera(name)
        camera.glance()
        view, source = camera.feed(query.view)
        frame = _newest(camera, source)
        if frame is None:
            raise NoPicture(f"camera: no frame of {name!r} has come yet")
        rendition = self._renditions.render(frame, query.wish, view=view)
        tag = _tag(rendition, view, query.wish.quality)
        known = request.if_none_match.contains(tag)
        response = flask.Response(b"" if known else rendition.data, 304 if known else 200)
        response.content_type = "image/jpeg"
        response.set_etag(tag)
        response.headers.update(self._facts(camera, rendition))
        return response

    def stream(self, name: str | None, request: flask.Request) -> flask.Response:
        """Return the newest picture and all that follow, for as long as the viewer stays."""
        query = read_query(request.args)
        camera = self._camera(name)
        if camera.feed(query.view)[1].peek() is None and not camera.is_newer_elsewhere():
            raise NoPicture(f"camera: no frame of {name!r} has come yet")
        response = streaming(CONTENT_TYPE)
        if request.method == "HEAD":
            return response
        agent = request.headers.get("User-Agent", "")
        body = Multipart(ahead=shows_late(agent, request.headers.get("Accept", "")))
        parts = map(body.part, watch(camera, query, self._renditions))
        response.response = chain.from_iterable(map(pieces, parts))
        return seated(response, self._seats, camera=camera)

    def _camera(self, name: str | None) -> Camera[P]:
        """Return the camera; without a name the only one, or `default`. Raise NoPicture."""
        cameras = self._cameras.cameras()
        if name is None:
            name = cameras[0].name if len(cameras) == 1 else "default"
        camera = self._cameras.get(name)
        if camera is not None:
            return camera
        if not cameras:
            raise NoPicture(f"camera: no frame of {name[:64]!r} has come yet, nor of any other")
        some = ", ".join(camera.name for camera in cameras[:8])
        raise NoPicture(f"camera: expected one of {some}; got {name[:64]!r}")

    def _facts(self, camera: Camera[P], rendition: Rendition[P]) -> dict[str, str]:
        frame = rendition.frame
        age = max(0.0, self._clock() - frame.arrived)
        state = state_at(age)
        return {
            wire.CAPTURED_AT: wire.format_time(frame.captured_at),
            **({} if frame.seq is None else {wire.SEQ: str(frame.seq)}),
            wire.EPOCH: frame.epoch,
            STATE: camera.state() if state == "live" else state,
            "Age": str(int(age)),
            "Cache-Control": NO_STORE,
            "X-Content-Type-Options": "nosniff",
        }


def blueprint(cameras: Cameras[P], renditions: Renditions[P], *, seats: Seats) -> flask.Blueprint:
    """Return the routes; a stream takes one of `seats`."""
    bp = flask.Blueprint("live", __name__)
    live = Live(cameras, renditions, seats=seats)

    @bp.get("/cameras/<name>/frame.jpg")
    def get_frame(name: str) -> flask.Response:
        """The newest picture; ?width= &height= &quality= &view=raw|annotated."""
        return live.snapshot(name, flask.request)

    @bp.get("/cameras/<name>/stream.mjpg")
    def get_stream(name: str) -> flask.Response:
        """A picture after the other; as frame.jpg, and ?fps=."""
        return live.stream(name, flask.request)

    @bp.get("/video_feed")
    def get_video_feed() -> flask.Response:
        """The stream of ?camera=, the only camera, or `default`: the name that tutorials use."""
        return live.stream(flask.request.args.get("camera"), flask.request)

    @bp.before_app_request
    def answer_action() -> flask.Response | None:
        """Serve /?action=stream and /?action=snapshot, the names that mjpg-streamer uses."""
        request = flask.request
        if request.path != "/" or "action" not in request.args:
            return None
        action = request.args["action"]
        if action == "stream":
            return live.stream(request.args.get("camera"), request)
        if action == "snapshot":
            return live.snapshot(request.args.get("camera"), request)
        raise QueryError(f"action: expected stream or snapshot, got {action[:80]!r}")

    @bp.app_errorhandler(QueryError)
    def refuse(error: QueryError) -> flask.Response:
        return problem(400, "Malformed request", str(error))

    @bp.app_errorhandler(NoPicture)
    def miss(error: NoPicture) -> flask.Response:
        return problem(404, "No such camera", str(error))

    return bp


def _newest(camera: Camera[P], source: Latest[P]) -> P | None:
    """Return the newest frame, fetched first where another process has it."""
    reader = source.reader()
    with suppress(Closed):
        frame = reader.get(0)
        if camera.is_newer_elsewhere() and (frame is None or _age(frame) > camera.age() + _BEHIND):
            frame = reader.get(_FETCH) or frame
        return frame
    return source.peek()


def _age(frame: Shown) -> float:
    return time.monotonic() - frame.arrived


def _tag(rendition: Rendition[P], view: View, quality: int | None) -> str:
    arrived = int(rendition.frame.arrived * 1e6)
    return f"{arrived:x}-{rendition.width}x{rendition.height}-{quality or 0}-{view}"
