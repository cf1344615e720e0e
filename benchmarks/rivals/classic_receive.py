"""The classic way, its receiver: Flask's own server, base64 from the form field img, cv2.imdecode,
a queue, and a thread that takes pictures from it and sleeps while it is empty.
"""

from __future__ import annotations

import base64
import threading
import time
from queue import Full, Queue

import cv2
import flask
import numpy as np

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse
from shared.codec import Image

_SLEEP = 0.01
_QUEUE = 10

app = flask.Flask(__name__)
images: Queue[Image] = Queue(_QUEUE)


@app.post("/image_post")
def image_post() -> str:
    data = np.frombuffer(base64.b64decode(flask.request.form["img"]), np.uint8)
    image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    try:
        images.put_nowait(image)
    except Full:
        images.get()
        images.put(image)
    return "ok"


def process() -> None:
    sink = Sink()
    while True:
        if images.empty():
            time.sleep(_SLEEP)
            continue
        sink.take(images.get())


def main() -> None:
    arguments = parse(__doc__, sends=False)
    threading.Thread(target=process, daemon=True).start()
    app.run(port=arguments.port, threaded=True)


if __name__ == "__main__":
    main()
