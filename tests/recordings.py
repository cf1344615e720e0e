"""Recordings as a receiver writes them, made by hand: what is in them is known to the byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from shared import codec, pattern
from shared.frame import EncodedFrame

#: 2026-11-21 14:05:01.123 UTC.
STARTED = 1795269901.123


def make_frames(
    number: int = 5,
    *,
    camera: str = "cam1",
    epoch: str = "e1",
    first: int = 0,
    started: float = STARTED,
    fps: float = 25,
    size: tuple[int, int] = (160, 120),
) -> list[EncodedFrame]:
    """Return frames of the test pattern; from one to the next are 1/fps seconds."""
    moments = [round(started + n / fps, 6) for n in range(number)]
    return [
        EncodedFrame(
            camera=camera,
            epoch=epoch,
            seq=first + n,
            captured_at=at,
            data=codec.encode(pattern.draw(first + n, *size, at), 80),
            width=size[0],
            height=size[1],
        )
        for n, at in enumerate(moments)
    ]


def result_of(frame: EncodedFrame, value: Any, **more: Any) -> dict[str, Any]:
    """Return a result's facts, as a receiver tells them."""
    return {
        "camera": frame.camera,
        "epoch": frame.epoch,
        "seq": frame.seq,
        "captured_at": frame.captured_at,
        "state": "processed",
        "result": value,
        "error": None,
        "timings": {"queue": 0.1, "decode": 0.0, "hook": 1.0, "total": 1.1},
        **more,
    }


@dataclass(frozen=True)
class Written:
    """A recording on disk and what is in it."""

    film: Path
    sidecar: Path
    frames: list[EncodedFrame]


def write_recording(
    folder: Path,
    frames: Sequence[EncodedFrame] | None = None,
    *,
    results: Sequence[Mapping[str, Any]] = (),
    closed: bool = True,
) -> Written:
    """Write one segment into `folder`/CAMERA; `closed`: in order, not left by a crash."""
    frames = make_frames() if frames is None else [*frames]
    head = frames[0]
    moment = datetime.fromtimestamp(round(head.captured_at, 3), UTC)
    start = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"
    film = folder / head.camera / f"{start}.mkv"
    film.parent.mkdir(parents=True, exist_ok=True)
    times = [round((frame.captured_at - head.captured_at) * 1000) for frame in frames]
    write_film(film, [frame.data for frame in frames], times, size=(head.width, head.height))
    lines: list[Mapping[str, Any]] = [
        {
            "recording": 1,
            "camera": head.camera,
            "started": head.captured_at,
            "width": head.width,
            "height": head.height,
        }
    ]
    by_frame = {(each["epoch"], each["seq"]): each for each in results}
    for frame, pts in zip(frames, times, strict=True):
        facts = {
            "epoch": frame.epoch,
            "seq": frame.seq,
            "captured_at": frame.captured_at,
            "received_at": frame.captured_at + 0.01,
            "width": frame.width,
            "height": frame.height,
            "bytes": len(frame.data),
            "pts_ms": pts,
        }
        lines.append({"frame": facts})
        if (frame.epoch, frame.seq) in by_frame:
            lines.append({"result": by_frame[frame.epoch, frame.seq]})
    if closed:
        lines.append({"end": {"frames": len(frames), "seconds": times[-1] / 1000, "events": 0}})
    sidecar = film.with_suffix(".jsonl")
    sidecar.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return Written(film, sidecar, frames)


def write_film(
    path: Path, pictures: Sequence[bytes], times: Sequence[int], *, size: tuple[int, int]
) -> None:
    """Write JPEGs as Motion JPEG; `times` are milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p"
        stream.time_base = Fraction(1, 1000)
        for data, at in zip(pictures, times, strict=True):
            packet = av.Packet(data)
            packet.stream = stream
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = at
            packet.is_keyframe = True
            container.mux(packet)


def at_hour(frames: Sequence[EncodedFrame], hours: float) -> list[EncodedFrame]:
    """Return the frames as if they had been captured so much later."""
    return [replace(frame, captured_at=frame.captured_at + hours * 3600) for frame in frames]
