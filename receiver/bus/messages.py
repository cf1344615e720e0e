"""Messages: frames and results as JSON, for the way through Redis. Nothing in it runs when read."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from receiver.region import SharedFrame
from receiver.result import Result
from shared.frame import EncodedFrame

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class FrameId:
    """Names a frame on the bus: the receiver that took it, and the how-manieth there."""

    receiver: str
    number: int

    def __str__(self) -> str:
        return f"{self.receiver}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> FrameId:
        receiver, _, number = text.rpartition(":")
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
    """Return the frame as of this host; `waited`: seconds since it was written."""
    told = json.loads(facts)
    age = told.pop("age") + waited
    told["clock_offset"] = time.time() - age - told["captured_at"]
    return EncodedFrame(**told, data=data, arrived=time.monotonic() - waited)


def write_outcome(frame_id: FrameId, camera: str, result: Result | None, drawn: str = "") -> bytes:
    """Return what all receivers are told; `result` is None for a frame that was superseded."""
    told: dict[str, Any] = {"id": str(frame_id), "camera": camera, "drawn": drawn}
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
            "queue": result.queue,
            "decode": result.decode,
            "hook": result.hook,
            "picture": [picture.width, picture.height],
        }
    return _encode(told).encode()


def read_outcome(message: bytes) -> Outcome:
    told = json.loads(message)
    return Outcome(FrameId.parse(told["id"]), told["camera"], told.get("facts"), told["drawn"])


def read_result(outcome: Outcome, frame: EncodedFrame | None, drawing: bytes | None) -> Result:
    """Return the result; `frame` is the frame itself where this receiver has it.

    Its times are by the receiver that has the frame, else as the worker told them. `drawing` is
    the JPEG that the hook drew.
    """
    facts = outcome.facts
    assert facts is not None
    spent = facts["decode"] + facts["hook"]
    now = time.monotonic()
    is_ours = frame is not None
    if frame is None:
        names = ("epoch", "seq", "captured_at", "width", "height", "media_type")
        frame = EncodedFrame(
            camera=outcome.camera,
            data=b"",
            arrived=now - facts["queue"] - spent,
            **{name: facts[name] for name in names},
        )
    picture = frame
    if drawing is not None:
        width, height = facts["picture"]
        drawn = {"data": drawing, "width": width, "height": height, "media_type": "image/jpeg"}
        picture = EncodedFrame(**(frame.facts() | drawn | {"arrived": frame.arrived}))
    return Result(
        frame=frame,
        state=facts["state"],
        value=facts["value"],
        arrays={name: (dtype, tuple(shape)) for name, (dtype, shape) in facts["arrays"].items()},
        error=facts["error"],
        picture=picture,
        queue=max(0.0, now - frame.arrived - spent),
        decode=facts["decode"],
        hook=facts["hook"],
        finished=now,
        is_ours=is_ours,
    )
