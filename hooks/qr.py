"""What QR codes say, and where they are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from receiver.frame import Frame
from shared.codec import Image


class QrCodes:
    def setup(self) -> None:
        self.detector = cv2.QRCodeDetector()

    def process(self, frame: Frame) -> tuple[dict[str, Any], Image]:
        image = frame.image
        found, texts, polygons, _ = self.detector.detectAndDecodeMulti(image)
        codes = []
        for text, polygon in zip(texts, polygons, strict=True) if found else ():
            corners = np.asarray(polygon).round().astype(np.int32)
            colour = (0, 255, 0) if text else (0, 0, 255)  # seen, but not readable: red
            cv2.polylines(image, [corners], True, colour, 3)
            if text:
                codes.append({"text": text, "polygon": corners.tolist()})
        return {"codes": codes}, image
