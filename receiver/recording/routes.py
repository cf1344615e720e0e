"""Routes: what is recorded, listed, fetched, played, asked for and removed."""

from __future__ import annotations

from pathlib import Path

import flask
from werkzeug.routing import BaseConverter

from receiver.hub import Hub
from receiver.origin import check_origin
from receiver.recording.plan import MAX_EVENT
from receiver.recording.playback import Playback
from receiver.recording.recorder import Recorder
from receiver.recording.shelf import Recording
from receiver.recording.show import read_wanted, show
from receiver.recording.summary import Summaries
from receiver.view.records import CONTENT_TYPE
from shared.errors import FramepostError
from shared.frame import check_camera
from shared.problem import problem
from shared.seats import Seats
from shared.view.query import read_number, read_whole
from shared.view.streaming import seated, streaming

_START = "/recordings/<camera>/<recording:start>"
_LIMIT, _MOST = 100, 1000
_DEFAULT_SECONDS = 30.0


class Missing(FramepostError):
    """Raised for what is not there; answered with 404 and this sentence."""


class RecordingConverter(BaseConverter):
    """A recording's name; with a suffix it is another route's."""

    regex = r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z"


def blueprint(recorder: Recorder | None, *, hub: Hub, seats: Seats) -> flask.Blueprint:
    """Return the routes; without a recorder each says that nothing is recorded.

    Who plays or fetches takes one of `seats`.
    """
    bp = flask.Blueprint("recordings", __name__)
    # Before the routes, which name it.
    bp.record(lambda state: state.app.url_map.converters.update(recording=RecordingConverter))
    summaries = Summaries()

    def on() -> Recorder:
        if recorder is None:
            raise Missing("recordings: nothing is recorded here; start the receiver with --record")
        return recorder

    def find(camera: str, start: str) -> Recording:
        recording = on().shelf.find(camera, start)
        if recording is None:
            raise Missing(
                f"recording: there is none of camera {camera[:64]!r} called {start[:64]!r}"
            )
        return recording

    @bp.get("/recordings")
    def get_recordings() -> flask.Response:
        """The recordings, newest first; ?camera= &limit= &before=NAME."""
        args = flask.request.args
        camera = args.get("camera")
        limit = read_whole(args, "limit", _MOST) or _LIMIT
        found = on().shelf.all(None if camera is None else check_camera(camera))
        before = args.get("before")
        if before is not None:
            found = [one for one in found if one.name < before]
        # All of one name together: the last one's is what the next page is asked with.
        while limit < len(found) and found[limit].name == found[limit - 1].name:
            limit += 1
        return flask.jsonify(
            recording=on().facts(), recordings=[summaries.facts(one) for one in found[:limit]]
        )

    @bp.get(f"{_START}.mkv")
    def get_video(camera: str, start: str) -> flask.Response:
        """The frames, for any player; ranges are served."""
        return _file(find(camera, start).mkv, f"{camera}-{start}.mkv", "video/x-matroska")

    @bp.get(f"{_START}.jsonl")
    def get_log(camera: str, start: str) -> flask.Response:
        """What is known of each frame, and the results."""
        return _file(find(camera, start).jsonl, f"{camera}-{start}.jsonl", "application/x-ndjson")

    def _file(path: Path, name: str, kind: str) -> flask.Response:
        try:
            response = flask.send_file(
                path, kind, as_attachment=True, download_name=name, conditional=True
            )
        except FileNotFoundError:
            raise Missing(f"recording: {name} was removed meanwhile") from None
        # Passed through, its end would not be told, and the seat never left.
        response.direct_passthrough = False
        return response if flask.request.method == "HEAD" else seated(response, seats)

    @bp.get(f"{_START}/play")
    def play(camera: str, start: str) -> flask.Response:
        """The frames at their own pace, as records; ?from= &speed= &width= &fps= and more."""
        wanted = read_wanted(flask.request.args)
        recording = find(camera, start)
        response = streaming(CONTENT_TYPE)
        if flask.request.method == "HEAD":
            return response
        try:
            playback = Playback(
                recording,
                start=wanted.start,
                speed=wanted.speed,
                fps=wanted.fps,
                closing=on().closing,
            )
        except FileNotFoundError:
            raise Missing(f"recording: {camera}/{start} was removed meanwhile") from None
        response.call_on_close(playback.close)
        response.response = show(recording, summaries.of(recording), playback, wanted.query.wish)
        return seated(response, seats)

    @bp.delete(_START)
    def delete_recording(camera: str, start: str) -> flask.Response:
        """Remove both files; 409 while they are written."""
        check_origin(flask.request.environ)
        recording = find(camera, start)
        if recording.is_written():
            detail = f"recording: {camera}/{start} is being written; it can be removed when it ends"
            return problem(409, "Still being written", detail)
        on().shelf.remove(recording)
        return flask.Response(status=204)

    @bp.post("/cameras/<camera>/record")
    def post_record(camera: str) -> flask.Response:
        """Record the camera for ?seconds= from now on; again, and it goes on for longer."""
        check_origin(flask.request.environ)
        most = MAX_EVENT
        seconds = read_number(flask.request.args, "seconds", _DEFAULT_SECONDS, least=0.1, most=most)
        on()
        if hub.get(check_camera(camera)) is None:
            raise Missing(f"camera: no frame of {camera!r} has come yet")
        if not on().wants(camera):
            raise Missing(f"camera: {camera!r} is none of those that --record-camera names")
        on().ask(camera, seconds)
        response = flask.jsonify(camera=camera, seconds=seconds)
        response.status_code = 202
        return response

    @bp.app_errorhandler(Missing)
    def miss(error: Missing) -> flask.Response:
        return problem(404, "No such recording", str(error))

    return bp
