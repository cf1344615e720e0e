"""What moves: OpenCV's background subtraction, with boxes drawn around it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from receiver.frame import Frame
from shared.codec import Image

#: A moving thing covers at least this part of the picture.
MIN_AREA = 0.001
#: The background is learned from so many frames before anything counts as motion.
LEARN = 10


class Motion:
    """Keeps each camera's background, so a camera stays with one worker."""

    stateful = True

    def setup(self) -> None:
        self.backgrounds: dict[str, Any] = {}
        self.seen: dict[str, tuple[str, int]] = {}

    def process(self, frame: Frame) -> tuple[dict[str, Any], Image]:
        # A quarter of the size is enough to find motion, and far cheaper.
        factor = 4 if frame.width >= 640 else 2 if frame.width >= 320 else 1
        boxes = [[side * factor for side in box] for box in self.find(frame, factor)]
        image = frame.image
        for x, y, width, height in boxes:
            cv2.rectangle(image, (x, y), (x + width, y + height), (0, 255, 255), 2)
        return {"motion": bool(boxes), "boxes": boxes}, image

    def find(self, frame: Frame, factor: int) -> list[list[int]]:
        small = cv2.GaussianBlur(frame.reduced(factor), (5, 5), 0)
        # Another epoch may be another scene, another size surely is.
        scene = f"{frame.epoch} {small.shape}"
        known, learned = self.seen.get(frame.camera, ("", 0))
        if known != scene:
            self.backgrounds[frame.camera] = cv2.createBackgroundSubtractorMOG2(
                history=200, varThreshold=25, detectShadows=False
            )
            learned = 0
        self.seen[frame.camera] = (scene, learned + 1)
        mask = self.backgrounds[frame.camera].apply(small)
        if learned < LEARN:
            return []
        # First the specks go, then what is left grows together.
        mask = cv2.erode(mask, np.ones((2, 2), np.uint8))
        mask = cv2.dilate(mask, np.ones((5, 5), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = [cv2.boundingRect(contour) for contour in contours]
        enough = MIN_AREA * mask.size
        return [[int(side) for side in box] for box in found if box[2] * box[3] >= enough]
