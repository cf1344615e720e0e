"""Tensors: arrays in the forms that the Open Inference Protocol and Triton give them.

Binary: little-endian, row by row, without padding; an element of BYTES is its length in four bytes
and itself. JSON: numbers, flat or nested; an element of BYTES is a string.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from receiver.result import Result
from shared.errors import FrameError

_DATATYPES = {
    "bool": "BOOL",
    **{
        f"{kind}{bits}": f"{kind.upper()}{bits}"
        for kind in ("int", "uint")
        for bits in (8, 16, 32, 64)
    },
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}
_MAX_RANK = 4
#: The hook's value as JSON, and the JPEG of what it drew.
RESULT = "result"
PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One of the outputs. `elements` are bytes where the datatype is BYTES."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    elements: npt.NDArray[Any] | Sequence[bytes]

    def to_bytes(self) -> bytes:
        """Return the binary form."""
        if isinstance(self.elements, np.ndarray):
            return self.elements.astype(self.elements.dtype.newbyteorder("<")).tobytes()
        parts = ((len(each).to_bytes(4, "little"), each) for each in self.elements)
        return b"".join(part for pair in parts for part in pair)

    def to_json(self) -> list[Any]:
        """Return the elements, flat, fit for JSON: no number is null; a picture is base64."""
        if isinstance(self.elements, np.ndarray):
            numbers = self.elements.ravel().tolist()
            if self.datatype.startswith("FP"):
                return [each if math.isfinite(each) else None for each in numbers]
            return list(numbers)
        if self.name == PICTURE:
            return [base64.b64encode(each).decode() for each in self.elements]
        return [each.decode() for each in self.elements]


def names_in(result: Result) -> list[str]:
    """Return the outputs that a result has, besides the picture."""
    arrays = [name for name, (dtype, _) in result.arrays.items() if _datatype(dtype)]
    return [RESULT, *(name for name in arrays if name not in (RESULT, PICTURE))]


def tensor_of(result: Result, name: str) -> Tensor:
    """Return the output of that name; raise FrameError (400) where there is none."""
    if name == RESULT:
        return Tensor(name, "BYTES", (1,), [json.dumps(result.value).encode()])
    if name == PICTURE:
        drawn = [result.picture.data] if result.picture is not result.frame else []
        return Tensor(name, "BYTES", (len(drawn),), drawn)
    if name not in names_in(result):
        raise _wrong(
            f"output: expected one of {', '.join([*names_in(result), PICTURE])}; got {name[:80]!r}"
        )
    dtype, shape = result.arrays[name]
    datatype = _datatype(dtype)
    values = result.value[name]
    if datatype == "BYTES":
        flat = np.array(values, object).ravel()
        return Tensor(name, datatype, shape, [str(each).encode() for each in flat])
    return Tensor(name, datatype, shape, np.array(values, dtype).reshape(shape))


def numbers_from_json(data: object, *, count: int) -> bytes:
    """Return UINT8 numbers, flat or nested, as bytes; raise FrameError (400)."""
    kinds: set[type] = set()
    for _ in range(_MAX_RANK + 1):
        kinds = set(map(type, data)) if isinstance(data, list) else set()
        if not isinstance(data, list) or kinds != {list}:
            break
        data = list(chain.from_iterable(data))
    if not isinstance(data, list) or kinds != {int}:
        raise _wrong("data: expected whole numbers from 0 to 255, flat or in rows")
    if len(data) != count:
        raise _wrong(f"data: expected {count} numbers, as the shape says, got {len(data)}")
    try:
        return bytes(data)
    except (ValueError, OverflowError):
        raise _wrong(
            f"data: expected numbers from 0 to 255, got {min(data)} to {max(data)}"
        ) from None


def picture_from_json(data: object) -> bytes:
    """Return what a list with one string of base64 holds; raise FrameError (400)."""
    for _ in range(2):  # the shape is [1] or [1, 1]
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
    if not isinstance(data, str):
        raise _wrong('data: expected the picture in base64, ["/9j/4AAQ..."], or as binary data')
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _wrong(f"data: expected base64 ({exc})") from None


def element_length(head: bytes, *, size: int) -> int:
    """Return how long the one element of BYTES is that has `size` bytes, its length included.

    `head` is its first four bytes. Raise FrameError (400).
    """
    length = int.from_bytes(head, "little")
    if length + 4 > size:
        raise _wrong(
            "data: expected an element's length in four bytes and as many bytes behind them, "
            f"got {size} bytes in all"
        )
    return length


def _datatype(dtype: str) -> str:
    """Return the protocol's name of a numpy type, "" where it has none."""
    return "BYTES" if dtype.startswith("str") else _DATATYPES.get(dtype, "")


def _wrong(message: str) -> FrameError:
    return FrameError(message, status=400, reason="tensor")
