"""Predictions: what a hook found, in the form that video recorders read."""

from __future__ import annotations

import json
import math
from typing import Any

from receiver.result import Result
from shared.errors import FrameError


def predictions(result: Result, least: float) -> list[dict[str, Any]]:
    """Return the objects of a hook's result whose score is at least `least`, the surest first.

    The hook returns {"objects": [{"label", "score", "box": [x, y, width, height]}]}, in pixels
    (`confidence` is another name of `score`); raise FrameError (500) where it does not.
    """
    value = result.value
    objects = value.get("objects") if isinstance(value, dict) else None
    if not isinstance(objects, list):
        raise _unfit('{"objects": [...]}', value)
    width, height = result.frame.width, result.frame.height
    found = [_prediction(each, number, width, height) for number, each in enumerate(objects)]
    # Frigate stops reading at the first that is not sure enough.
    found.sort(key=lambda each: -float(each["confidence"]))
    return [each for each in found if each["confidence"] >= least]


def _prediction(found: Any, number: int, width: int, height: int) -> dict[str, Any]:
    try:
        label = str(found["label"])
        score = float(found["score"] if "score" in found else found["confidence"])
        left, top, wide, high = (float(side) for side in found["box"])
        if not all(map(math.isfinite, (score, left, top, left + wide, top + high))):
            raise ValueError("no number")
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _unfit(
            f'objects[{number}] to be {{"label", "score", "box": [x, y, width, height]}}', found
        ) from None
    return {
        "label": label,
        "confidence": score,
        "x_min": _within(left, width),
        "y_min": _within(top, height),
        "x_max": _within(left + wide, width),
        "y_max": _within(top + high, height),
    }


def _within(side: float, end: int) -> int:
    return min(max(round(side), 0), end)


def _unfit(expected: str, got: Any) -> FrameError:
    return FrameError(
        f"hook: object detection expects {expected}, the hook returned {json.dumps(got)[:200]}",
        status=500,
        reason="hook",
    )
