"""Feed: where a contestant's pictures come from, the same for all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np

from shared import pattern
from shared.codec import Image

_PICTURES = 8


def load(clip: str | None, width: int, height: int, *, pictures: int = _PICTURES) -> list[Image]:
    """Return the first pictures of a video, scaled, or the test pattern's; BGR.

    Raise FileNotFoundError where the video has not so many.
    """
    if clip is None:
        return [pattern.draw(n, width, height) for n in range(pictures)]
    video = cv2.VideoCapture(clip)
    images: list[Image] = []
    while len(images) < pictures:
        came, image = video.read()
        if not came:
            raise FileNotFoundError(f"--clip: expected a video of {pictures} pictures: {clip}")
        images.append(np.asarray(cv2.resize(image, (width, height)), np.uint8))
    video.release()
    return images


def endless(images: list[Image]) -> Iterator[Image]:
    """Yield the images again and again, each with its own number and the time drawn into it."""
    number = 0
    while True:
        image = images[number % len(images)]
        pattern.mark(image, number, time.time())
        yield image
        number += 1


def camera(url: str) -> Iterator[Image]:
    """Yield what OpenCV reads from a camera, as its users write it."""
    video = cv2.VideoCapture(url)
    while True:
        came, image = video.read()
        if not came:
            raise ConnectionError(f"{url}: OpenCV reads no more frames")
        yield np.asarray(image, np.uint8)
