"""The picture's edges: a hook that only draws."""

from __future__ import annotations

import cv2
import numpy as np

from receiver.frame import Frame
from shared.codec import Image


def process(frame: Frame) -> Image:
    grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
    edges = cv2.Canny(grey, 80, 160)
    return np.asarray(cv2.cvtColor(edges, cv2.COLOR_GRAY2BGR), np.uint8)
