"""The values that the sender's settings take, and how wrong ones are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from sender.carriers.carriers import FORMS, is_http
from shared.amount import parse_age, parse_size
from shared.errors import FrameError
from shared.frame import check_camera
from shared.settings import Expect
from shared.url import HttpUrl


def _check_camera(name: str) -> str:
    try:
        return check_camera(name)
    except FrameError as exc:
        raise ValueError(str(exc)) from None


def _check_to(to: str) -> str:
    if is_http(to):  # the others' options are looked at by whoever knows them
        HttpUrl.parse(to)
    return to


def _check_size(text: str) -> str:
    parse_pixels(text)
    return text


def _check_bytes(text: str) -> str:
    if parse_size(text) < 1_000_000:
        raise ValueError("too small for a frame and its successors")
    return text


def _check_age(text: str) -> str:
    parse_age(text)
    return text


def parse_pixels(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    size = int(width), int(height)
    if not all(2 <= side <= 16384 for side in size):
        raise ValueError("out of bounds")
    return size


def check_cameras(cameras: Sequence[object], source: object) -> list[str]:
    """Return what is wrong with a list of cameras, as it came: names that repeat, or no source.

    `source` is that of those that name none.
    """
    problems = []
    entries = [
        entry if isinstance(entry, dict) else {"camera": n, "source": n}
        for n, entry in enumerate(cameras)
    ]
    # As they will be: the camera 1 and the camera "1" are the same.
    names = Counter(str(entry.get("camera")) for entry in entries)
    for number, entry in enumerate(entries):
        name = entry.get("camera")
        if name is None:
            problems.append(f"cameras.{number}.camera: expected a name, got none")
        elif names[str(name)] > 1:
            problems.append(
                f"cameras.{number}.camera: expected a name of its own, got {name!r} again"
            )
        if entry.get("source", source) in (None, ""):
            problems.append(f"cameras.{number}.source: expected {SOURCE}, got none")
    return problems


SOURCE = "a URL, a file, a folder, a device number or testsrc"
Camera = Annotated[
    str,
    AfterValidator(_check_camera),
    Expect("1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit"),
]
Source = Annotated[str, Field(min_length=1), Expect(SOURCE)]
To = Annotated[
    str,
    AfterValidator(_check_to),
    Expect(FORMS),
]
Fps = Annotated[float, Field(gt=0, le=1000), Expect("frames a second, above 0, at most 1000")]
Size = Annotated[
    str, AfterValidator(_check_size), Expect("WIDTHxHEIGHT, each from 2 to 16384, as in 1280x720")
]
Quality = Annotated[int, Field(ge=1, le=100), Expect("a whole number from 1 to 100")]
Depth = Annotated[int, Field(ge=1, le=1000), Expect("a whole number from 1 to 1000")]
Bytes = Annotated[
    str, AfterValidator(_check_bytes), Expect("a size of 1MB or more, such as 500MB or 20GB")
]
Age = Annotated[str, AfterValidator(_check_age), Expect("an age such as 90m, 12h or 7d")]
Seconds = Annotated[float, Field(gt=0, le=3600), Expect("seconds above 0, at most 3600")]
Switch = Annotated[bool, Expect("true or false")]
Port = Annotated[int, Field(ge=0, le=65535), Expect("a port from 0 (any free one) to 65535")]
