"""Drawing: what a hook found, drawn into its frame, for hooks that draw nothing themselves.

The forms are those that the page draws: `objects`, `boxes`, `lines` and `texts`, in pixels of the
frame. What is not in these forms is left out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from receiver.result import Result, drawn
from shared import codec
from shared.codec import Image
from shared.errors import FrameError

#: BGR, for what has no colour of its own; the same label always gets the same.
_COLORS = [
    (80, 200, 60),
    (60, 140, 255),
    (240, 160, 40),
    (200, 80, 220),
    (40, 220, 230),
    (90, 90, 250),
]
_FONT = cv2.FONT_HERSHEY_SIMPLEX
#: Farther out than any picture's side; what is drawn there costs time and shows nothing.
_FAR = 1 << 16
#: How much of a mask's colour there is in the picture.
_SHARE = 0.4
_MOST_ITEMS = 1000

Point = tuple[int, int]
Color = tuple[int, int, int]
#: What fails on a hook's value that has another form.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError, OverflowError, cv2.error)


class Drawing:
    """Draw results; any thread."""

    def __init__(self, quality: int) -> None:
        self._quality = quality

    def develop(self, result: Result) -> Result:
        """Return the result with a picture of what was found, unless the hook drew one itself."""
        items = list(_items(result.value)) if result.picture is result.frame else []
        if not items:
            return result
        try:
            image = codec.decode(result.frame.data)
        except FrameError:
            return result
        for draw, item in items:
            try:
                draw(image, item)
            except _MALFORMED:
                continue
        jpeg = codec.encode(image, self._quality)
        height, width = image.shape[:2]
        picture = drawn(result.frame, jpeg, width, height)
        return Result(
            frame=result.frame,
            state=result.state,
            value=result.value,
            error=result.error,
            picture=picture,
            queue=result.queue,
            decode=result.decode,
            hook=result.hook,
        )


def _items(value: Any) -> Iterator[tuple[Callable[[Image, Any], None], Any]]:
    if not isinstance(value, dict):
        return
    kinds = {"objects": _object, "boxes": _bare_box, "lines": _line, "texts": _text}
    for name, draw in kinds.items():
        found = value.get(name)
        for item in found[:_MOST_ITEMS] if isinstance(found, list) else ():
            yield draw, item


def _object(image: Image, item: dict[str, Any]) -> None:
    label = str(item.get("label", ""))
    color = _color(item.get("color"), label)
    if "mask" in item:
        _mask(image, item["mask"], color)
    if "polygon" in item:
        _path(image, item["polygon"], color, closed=True)
    points = [_point(each) for each in item.get("keypoints", [])]
    for one, other in item.get("skeleton", []):
        cv2.line(image, points[one], points[other], color, _thickness(image))
    for point in points:
        cv2.circle(image, point, 2 * _thickness(image), color, -1)
    if "box" in item:
        score = item.get("score")
        words = [label] if label else []
        words += [f"#{item['track']}"] if "track" in item else []
        words += [f"{score:.2f}"] if isinstance(score, (int, float)) else []
        _box(image, item["box"], color, " ".join(words))


def _bare_box(image: Image, box: Any) -> None:
    _box(image, box, _COLORS[0], "")


def _line(image: Image, item: dict[str, Any]) -> None:
    label = str(item.get("label", ""))
    color = _color(item.get("color"), label)
    _path(image, item["points"], color, closed=bool(item.get("closed")))
    _write(image, label, _point(item["points"][0]), color)


def _text(image: Image, item: dict[str, Any]) -> None:
    _write(image, str(item["text"]), _point(item["at"]), _color(item.get("color"), ""))


def _box(image: Image, box: Any, color: Color, words: str) -> None:
    left, top, width, height = box
    first, last = _point((left, top)), _point((left + width, top + height))
    cv2.rectangle(image, first, last, color, _thickness(image))
    _write(image, words, (first[0], first[1] - 2 * _thickness(image)), color)


def _path(image: Image, points: Any, color: Color, *, closed: bool) -> None:
    path = np.array([_point(each) for each in points[:10_000]], np.int32)
    cv2.polylines(image, [path], closed, color, _thickness(image))


def _mask(image: Image, mask: dict[str, Any], color: Color) -> None:
    """Colour the pixels of a mask: its runs, beginning with zeros, fill its box row by row."""
    left, top, width, height = (int(each) for each in mask["box"])
    runs = np.asarray(mask["rle"], np.int64)
    if not (0 < width * height <= image.shape[0] * image.shape[1] * 4):
        raise ValueError("no box")
    # Each by itself first: a sum of runs beyond all measure may come out small.
    if runs.min() < 0 or runs.max() > width * height or runs.sum() > width * height:
        raise ValueError("too many runs")
    flat = np.zeros(width * height, bool)
    filled = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    flat[: len(filled)] = filled
    within = flat.reshape(height, width)[max(0, -top) :, max(0, -left) :]
    part = image[max(0, top) :, max(0, left) :][: within.shape[0], : within.shape[1]]
    within = within[: part.shape[0], : part.shape[1]]
    part[within] = (part[within] * (1 - _SHARE) + np.array(color) * _SHARE).astype(np.uint8)


def _write(image: Image, words: str, at: Point, color: Color) -> None:
    # The font has no other letters.
    shown = words[:80].encode("ascii", "replace").decode()
    scale = max(0.4, image.shape[0] / 1200)
    for thickness, ink in ((3, (0, 0, 0)), (1, color)):
        cv2.putText(image, shown, at, _FONT, scale, ink, thickness, cv2.LINE_AA)


def _point(pair: Any) -> Point:
    x, y = round(pair[0]), round(pair[1])
    return max(-_FAR, min(_FAR, x)), max(-_FAR, min(_FAR, y))


def _thickness(image: Image) -> int:
    return max(1, int(image.shape[0]) // 360)


def _color(given: Any, label: str) -> Color:
    """Return #rrggbb or #rgb as BGR, else one that belongs to the label."""
    if isinstance(given, str) and re.fullmatch(r"#(?:[0-9a-fA-F]{3}){1,2}", given):
        digits = given[1:] if len(given) == 7 else "".join(2 * each for each in given[1:])
        red, green, blue = bytes.fromhex(digits)
        return blue, green, red
    return _COLORS[zlib.crc32(label.encode(errors="replace")) % len(_COLORS)]
