"""The classic way, its sender: a capture thread and a LIFO queue of one, a loop that sleeps while
that is empty, cv2.imencode, base64 in the form field img, a new connection for each picture.

Without a camera there is nothing to wait for: no thread, no sleep.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, LifoQueue

import cv2
import requests

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared.codec import Image

_SLEEP = 0.01


def capture(images: Iterator[Image], newest: LifoQueue[Image]) -> None:
    for image in images:
        with suppress(Empty):
            newest.get_nowait()
        newest.put(image)


def newest_of(images: Iterator[Image]) -> Iterator[Image]:
    newest: LifoQueue[Image] = LifoQueue(maxsize=1)
    threading.Thread(target=capture, args=(images, newest), daemon=True).start()
    while True:
        if newest.empty():
            time.sleep(_SLEEP)
            continue
        yield newest.get()


def main() -> None:
    arguments = parse(__doc__, sends=True)
    images = pictures(arguments)
    url = f"http://127.0.0.1:{arguments.port}/image_post"
    for image in newest_of(images) if arguments.source else images:
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        requests.post(url, data={"img": base64.b64encode(jpeg.tobytes())}, timeout=5)


if __name__ == "__main__":
    main()
