"""Video streaming as the well-known Flask tutorials do it: a camera thread with an event for each
client, a generator for each response, Flask's own threaded server.

The camera thread encodes each picture once, with simplejpeg, which is faster than the tutorials'
cv2.imencode.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator, Sequence

import flask

from benchmarks.measuring import steady
from shared import codec


class Camera:
    """Reads on a thread of its own; `get_frame` waits for the next picture."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._events: dict[int, threading.Event] = {}
        self._frame = b""
        threading.Thread(target=self._run, daemon=True).start()

    def get_frame(self) -> bytes:
        event = self._events.setdefault(threading.get_ident(), threading.Event())
        event.wait()
        event.clear()
        return self._frame

    def _run(self) -> None:
        for image in steady.pictures(self._arguments):
            self._frame = codec.encode(image, self._arguments.quality)
            for event in list(self._events.values()):
                event.set()


def generate(camera: Camera) -> Iterator[bytes]:
    yield b"--frame\r\n"
    while True:
        frame = camera.get_frame()
        yield b"Content-Type: image/jpeg\r\n\r\n" + frame + b"\r\n--frame\r\n"


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    steady.add_arguments(parser)
    camera = Camera(parser.parse_args(argv))
    app = flask.Flask(__name__)

    @app.route("/video_feed")
    def video_feed() -> flask.Response:
        return flask.Response(
            generate(camera), mimetype="multipart/x-mixed-replace; boundary=frame"
        )

    app.run(host="127.0.0.1", port=0, threaded=True)


if __name__ == "__main__":
    main(sys.argv[1:])
