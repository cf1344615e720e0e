"""Show: a playback in the form of the live view, see receiver/view/records.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.recording.playback import Playback, Shot
from receiver.recording.shelf import Recording
from receiver.view.drawing import render_once
from receiver.view.records import picture_facts, record
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.sidecar import Survey
from shared.view.query import Query, read_number, read_query
from shared.view.renditions import Wish

_SPEEDS = (0.1, 64.0)
_DAY = 86400.0
#: Pictures a second where somebody plays faster than it was and names no rate.
_FAST_FPS = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer asks of a recording."""

    query: Query
    #: Seconds from the recording's first frame.
    start: float
    speed: float

    @property
    def fps(self) -> float | None:
        return self.query.fps or (_FAST_FPS if self.speed > 1 else None)


def read_wanted(args: Mapping[str, str]) -> Wanted:
    """Read from, speed, width, height, quality and fps; raise QueryError."""
    start = read_number(args, "from", 0.0, least=0.0, most=_DAY * 365)
    speed = read_number(args, "speed", 1.0, least=_SPEEDS[0], most=_SPEEDS[1])
    return Wanted(read_query(args), start, speed)


def show(recording: Recording, survey: Survey, playback: Playback, wish: Wish) -> Iterator[bytes]:
    """Yield records: `recording` first, `picture` for each frame, `end` last.

    `recording` comes again after each second of quiet. A picture that does not decode is left out.
    """
    facts = {
        "camera": recording.camera,
        "name": recording.name,
        "started": recording.started,
        "seconds": survey.last / 1000,
        "frames": survey.frames,
        "complete": survey.complete,
    }
    yield record("recording", {**facts, "at": playback.at})
    for shown in playback:
        if shown is None:
            yield record("recording", {**facts, "at": round(playback.at, 3)})
            continue
        shot, jpeg = shown
        try:
            yield _picture(recording.camera, shot, jpeg, wish)
        except FrameError:
            continue
    reason = "the receiver is shutting down" if playback.is_closing else "the recording is over"
    yield record("end", {"reason": reason})


def _picture(camera: str, shot: Shot, jpeg: bytes, wish: Wish) -> bytes:
    line = shot.frame
    frame = EncodedFrame(
        camera=camera,
        epoch=line.epoch,
        seq=line.seq,
        captured_at=line.captured_at,
        data=jpeg,
        width=line.width,
        height=line.height,
    )
    rendition = render_once(frame, wish)
    head = picture_facts(rendition, view="annotated", frame=frame, state="recorded")
    head["at"] = shot.at
    if shot.result is not None:
        head["result"] = shot.result
    return record("picture", head, rendition.data)
