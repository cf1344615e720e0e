"""Objects found by a neural network: any ONNX detector that OpenCV can run.

    DETECTOR_MODEL=yolov8n.onnx python -m receiver --hook hooks.detector:Detector

DETECTOR_MODEL      the model's file
DETECTOR_LABELS     a file with one label in each line
DETECTOR_SIZE       the model's input, such as 640 or 640x384
DETECTOR_THRESHOLD  the least score that counts, 0 to 1
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from receiver.frame import Frame
from shared.codec import Image

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Of two boxes of one label that overlap more than this, the better stays.
OVERLAP = 0.45


class Detector:
    def setup(self) -> None:
        model = os.environ.get("DETECTOR_MODEL", "")
        if not Path(model).is_file():
            raise FileNotFoundError(f"DETECTOR_MODEL: expected an ONNX file, got {model!r}")
        labels = os.environ.get("DETECTOR_LABELS")
        self.labels = Path(labels).read_text(encoding="utf-8").splitlines() if labels else []
        size = os.environ.get("DETECTOR_SIZE", "640").split("x")
        self.width, self.height = int(size[0]), int(size[-1])
        self.threshold = float(os.environ.get("DETECTOR_THRESHOLD", "0.4"))
        self.net = cv2.dnn.readNetFromONNX(model)

    def process(self, frame: Frame) -> tuple[dict[str, Any], Image]:
        image = frame.image
        blob, scale, left, top = self.letterbox(image)
        self.net.setInput(blob)
        corners, scores, classes = rows_to_boxes(
            np.asarray(self.net.forward(), np.float32), self.width, self.height
        )
        keep = scores >= self.threshold
        corners, scores, classes = corners[keep], scores[keep], classes[keep]
        corners = (corners - (left, top, left, top)) / scale
        corners = corners.clip(0, [image.shape[1], image.shape[0]] * 2)
        objects = []
        for i in best(corners, scores, classes, self.threshold):
            x1, y1, x2, y2 = (round(float(side)) for side in corners[i])
            number = int(classes[i])
            label = self.labels[number] if number < len(self.labels) else str(number)
            score = round(float(scores[i]), 3)
            objects.append({"label": label, "score": score, "box": [x1, y1, x2 - x1, y2 - y1]})
            cv2.rectangle(image, (x1, y1), (x2, y2), (0, 200, 0), 2)
            cv2.putText(
                image,
                f"{label} {score:.2f}",
                (x1, max(15, y1 - 5)),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.6,
                (0, 200, 0),
                2,
            )
        return {"objects": objects}, image

    def letterbox(self, image: Image) -> tuple[Any, float, int, int]:
        """Fit the picture into the model's input, its shape kept, the rest grey."""
        height, width = image.shape[:2]
        scale = min(self.width / width, self.height / height)
        fitted = cv2.resize(image, (round(width * scale), round(height * scale)))
        left, top = (self.width - fitted.shape[1]) // 2, (self.height - fitted.shape[0]) // 2
        canvas = np.full((self.height, self.width, 3), 114, np.uint8)
        canvas[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
        return cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True), scale, left, top


def rows_to_boxes(output: Floats, width: int, height: int) -> tuple[Floats, Floats, Ints]:
    """Return corners (N, 4), scores (N) and classes (N) from what the usual models put out.

    (1, 1, N, 7): SSD: image, class, score, x1, y1, x2, y2 in parts of the input.
    (1, N, 6):    end to end: x1, y1, x2, y2 in pixels, score, class.
    (1, 4+C, N):  YOLOv8 and later: cx, cy, w, h, and each class's score.
    (1, N, 5+C):  YOLOv5: cx, cy, w, h, objectness, and each class's score.
    """
    rows: npt.NDArray[Any] = output.reshape(output.shape[-2:])
    if output.ndim == 4 and rows.shape[1] == 7:
        corners = rows[:, 3:7] * np.array([width, height] * 2, np.float32)
        return corners, rows[:, 2], rows[:, 1].astype(np.int64)
    if rows.shape[1] == 6:
        return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)
    if rows.shape[0] < rows.shape[1]:
        rows = rows.T
        each = rows[:, 4:]
    else:
        each = rows[:, 5:] * rows[:, 4:5]
    if each.shape[1] == 0:
        raise ValueError(f"DETECTOR_MODEL: its output of shape {output.shape} is no detector's")
    half = rows[:, 2:4] / 2
    corners = np.hstack([rows[:, :2] - half, rows[:, :2] + half])
    return corners, each.max(axis=1), each.argmax(axis=1)


def best(corners: Floats, scores: Floats, classes: Ints, threshold: float) -> list[int]:
    """Return which boxes to keep: the best of those of one label that overlap."""
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    if not len(boxes):
        return []
    kept = cv2.dnn.NMSBoxesBatched(
        boxes.tolist(), scores.tolist(), classes.tolist(), threshold, OVERLAP
    )
    return [int(i) for i in np.asarray(kept).ravel()]
