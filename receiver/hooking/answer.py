"""Answer: what a hook made of one frame, checked and ready to travel."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from receiver.frame import Frame
from receiver.hooking import traces
from receiver.hooking.hooks import Hook
from shared import codec
from shared.codec import Image
from shared.errors import FrameError, FramepostError

_EXPECTED = (
    "expected a JSON-able value, a picture (height x width x 3, uint8), (value, picture) or None"
)
_MAX_DEPTH = 16
#: A value is read by people and pages; whole pictures belong in the picture.
_MAX_NUMBERS = 100_000
_MAX_JSON = 1 << 20
_MAX_SIDE = 65500


class ReturnError(FramepostError):
    """Raised when a hook returned what nobody can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one frame. `decode` and `hook` are seconds and do not overlap."""

    value: Any = None
    #: One sentence when it failed; `trace` is the traceback where the hook raised.
    error: str | None = None
    trace: str = ""
    #: Which of the value's items were arrays: name, dtype, shape.
    arrays: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    #: A JPEG of what the hook drew.
    picture: bytes | None = None
    width: int = 0
    height: int = 0
    decode: float = 0.0
    hook: float = 0.0

    def facts(self) -> dict[str, Any]:
        """Return all but the picture, JSON-able: `Answer(**facts, picture=...)` is this again."""
        return {name: getattr(self, name) for name in _FACTS}


_FACTS = tuple(each.name for each in fields(Answer) if each.name != "picture")


def ask(hook: Hook, frame: Frame, quality: int) -> Answer:
    """Run the hook on `frame`; what it raises is the answer's error.

    What is no Exception (SystemExit, KeyboardInterrupt) passes through: the hook wants to end.
    """
    started = time.perf_counter()
    try:
        returned = hook.process(frame)
    except FrameError as exc:
        return _failed(frame, started, str(exc))
    except Exception as exc:  # noqa: BLE001  # a hook may raise anything; the next frame comes
        return _failed(frame, started, traces.describe(exc, hook.file), traces.full(exc))
    try:
        value, image = split(returned)
        picture = codec.encode(image, quality) if image is not None else None
    except ReturnError as exc:
        return _failed(frame, started, str(exc))
    height, width = image.shape[:2] if image is not None else (0, 0)
    return Answer(
        value=value,
        arrays=arrays_in(returned),
        picture=picture,
        width=width,
        height=height,
        decode=frame.decode_seconds,
        hook=time.perf_counter() - started - frame.decode_seconds,
    )


def split(returned: object) -> tuple[Any, Image | None]:
    """Return a hook's value, made JSON-able, and its picture; raise ReturnError."""
    if isinstance(returned, np.ndarray):
        return None, _picture(returned)
    if isinstance(returned, tuple) and len(returned) == 2:
        value, picture = returned
        if isinstance(picture, np.ndarray):
            return _value(value), _picture(picture)
        if isinstance(value, np.ndarray) and value.ndim >= 2:
            raise ReturnError("hook returned (picture, value); expected (value, picture)")
    return _value(returned), None


def arrays_in(returned: object) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """Return name, dtype and shape of the arrays in a dict that a hook returned."""
    value = returned[0] if isinstance(returned, tuple) and returned else returned
    if not isinstance(value, dict):
        return ()
    return tuple(
        (name, each.dtype.name, each.shape)
        for name, each in value.items()
        if isinstance(name, str) and isinstance(each, np.ndarray)
    )


def plain(value: object, where: str = "", depth: int = 0) -> Any:
    """Return `value` as JSON knows it: numpy's numbers and arrays as Python's, NaN as None.

    Raise ReturnError that names the place of what JSON does not know.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.longdouble):  # its item() is itself
        return plain(float(value))
    if isinstance(value, np.generic):
        return plain(value.item(), where, depth)
    if depth >= _MAX_DEPTH:
        raise ReturnError(f"hook returned lists or dicts more than {_MAX_DEPTH} deep at {where}")
    if isinstance(value, np.ndarray):
        if value.size > _MAX_NUMBERS:
            raise ReturnError(
                f"hook returned an array of {value.size} numbers{_at(where)}; expected at most "
                f"{_MAX_NUMBERS}, or the picture as the second of (value, picture)"
            )
        return plain(value.tolist(), where, depth)
    if isinstance(value, dict):
        return {
            _key(key, where): plain(item, f"{where}[{key!r}]", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
    raise ReturnError(f"hook returned a {type(value).__name__}{_at(where)}; {_EXPECTED}")


def _value(returned: object) -> Any:
    value = plain(returned)
    try:
        size = len(json.dumps(value))
    except ValueError as exc:  # a whole number of thousands of digits
        raise ReturnError(f"hook returned a value that JSON cannot hold ({exc})") from exc
    if size > _MAX_JSON:
        raise ReturnError(f"hook returned {size} characters of JSON; expected at most {_MAX_JSON}")
    return value


def _picture(image: np.ndarray[Any, Any]) -> Image:
    channels = image.shape[2] if image.ndim == 3 else 1
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or channels not in (1, 3)
        or not 1 <= min(image.shape[:2]) <= max(image.shape[:2]) <= _MAX_SIDE
    ):
        size = "x".join(map(str, image.shape)) or "no dimension"
        raise ReturnError(
            f"hook returned an array of {size} {image.dtype} for a picture; expected height x "
            "width x 3 uint8 (numbers go back as array.tolist())"
        )
    return np.ascontiguousarray(image[:, :, 0] if channels == 1 and image.ndim == 3 else image)


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, (int, float, np.integer)):
        return str(key)
    raise ReturnError(
        f"hook returned a dict with a {type(key).__name__} for a key{_at(where)}; expected strings"
    )


def _at(where: str) -> str:
    return f" in value{where}" if where else ""


def _failed(frame: Frame, started: float, error: str, trace: str = "") -> Answer:
    return Answer(
        error=error,
        trace=trace,
        decode=frame.decode_seconds,
        hook=time.perf_counter() - started - frame.decode_seconds,
    )
