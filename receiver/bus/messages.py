"""Messages: frames and results as JSON, for the way through Redis. Nothing in it runs when read."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from receiver.region import SharedFrame
from receiver.result import Result, drawn
from shared.errors import FrameError, FramepostError
from shared.frame import EncodedFrame, check_camera
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Garbage(FramepostError):
    """Raised for what nobody of ours wrote, or a version of ours that is not understood."""


def make_garbage() -> Trouble:
    """Return what tells once of garbage, for each who may meet it."""
    return Trouble("bus", over="all is understood again", logger=logger, settle=30.0)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, FrameError) as exc:
        raise Garbage(f"bus: {what} that is none of ours ({type(exc).__name__})") from None


@dataclass(frozen=True, slots=True)
class FrameId:
    """Names a frame on the bus: the receiver that took it, and the how-manieth there."""

    receiver: str
    number: int

    def __str__(self) -> str:
        return f"{self.receiver}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> FrameId:
        """Raise Garbage."""
        receiver, _, number = text.rpartition(":")
        with _reading("a frame's id"):
            return cls(receiver, int(number))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a frame, as it is told to all receivers."""

    id: FrameId
    camera: str
    #: Of the result, as `write_outcome` made them; None where the frame was superseded.
    facts: dict[str, Any] | None
    #: Where the picture lies that the hook drew; "" where it drew none.
    drawn: str = ""


def write_frame(frame: EncodedFrame) -> tuple[bytes, bytes]:
    """Return a frame's facts as JSON, and its bytes; raise FrameError for memory cut short."""
    if isinstance(frame, SharedFrame):
        frame = frame.copied()
    facts = frame.facts()
    # The hosts' clocks may differ, so its age travels, and grows by the time it waits in Redis.
    del facts["clock_offset"]
    facts["age"] = round(frame.age(), 6)
    return _encode(facts).encode(), frame.data


def read_frame(facts: bytes, data: bytes, waited: float) -> EncodedFrame:
    """Return the frame as of this host; `waited`: seconds since it was written. Raise Garbage."""
    with _reading("a frame"):
        told = json.loads(facts)
        age = told.pop("age") + waited
        told["clock_offset"] = time.time() - age - told["captured_at"]
        check_camera(told["camera"])
        return EncodedFrame(**told, data=data, arrived=time.monotonic() - waited)


def write_outcome(
    frame_id: FrameId, camera: str, result: Result | None, drawn_at: str = ""
) -> bytes:
    """Return what all receivers are told; `result` is None for a frame that was superseded."""
    told: dict[str, Any] = {"id": str(frame_id), "camera": camera, "drawn": drawn_at}
    if result is not None:
        frame, picture = result.frame, result.picture
        told["facts"] = {
            "epoch": frame.epoch,
            "seq": frame.seq,
            "captured_at": frame.captured_at,
            "width": frame.width,
            "height": frame.height,
            "media_type": frame.media_type,
            "state": result.state,
            "value": result.value,
            "arrays": result.arrays,
            "error": result.error,
            "traceback": result.traceback,
            "queue": result.queue,
            "decode": result.decode,
            "hook": result.hook,
            "picture": [picture.width, picture.height],
        }
        if frame.redelivered:
            told["facts"]["redelivered"] = True
    return _encode(told).encode()


def read_outcome(message: bytes) -> Outcome:
    """Raise Garbage."""
    with _reading("an outcome"):
        told = json.loads(message)
        camera, drawn = check_camera(told["camera"]), str(told["drawn"])
        return Outcome(FrameId.parse(told["id"]), camera, told.get("facts"), drawn)


def read_result(outcome: Outcome, frame: EncodedFrame | None, drawing: bytes | None) -> Result:
    """Return the result; `frame` is the frame itself where this receiver has it.

    Its times are by the receiver that has the frame, else as the worker told them. `drawing` is
    the JPEG that the hook drew. Raise Garbage.
    """
    assert outcome.facts is not None
    with _reading("a result"):
        return _read_result(outcome, outcome.facts, frame, drawing)


def _read_result(
    outcome: Outcome, facts: dict[str, Any], frame: EncodedFrame | None, drawing: bytes | None
) -> Result:
    spent = facts["decode"] + facts["hook"]
    now = time.monotonic()
    is_ours = frame is not None
    if frame is None:
        names = ("epoch", "seq", "captured_at", "width", "height", "media_type")
        frame = EncodedFrame(
            camera=outcome.camera,
            data=b"",
            arrived=now - facts["queue"] - spent,
            redelivered=bool(facts.get("redelivered")),
            **{name: facts[name] for name in names},
        )
    picture = frame
    if drawing is not None:
        picture = drawn(frame, drawing, *facts["picture"])
    return Result(
        frame=frame,
        state=facts["state"],
        value=facts["value"],
        arrays={name: (dtype, tuple(shape)) for name, (dtype, shape) in facts["arrays"].items()},
        error=facts["error"],
        traceback=facts.get("traceback"),  # an older worker tells of none
        picture=picture,
        queue=max(0.0, now - frame.arrived - spent),
        decode=facts["decode"],
        hook=facts["hook"],
        finished=now,
        is_ours=is_ours,
    )
