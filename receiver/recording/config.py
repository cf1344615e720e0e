"""The settings of the recording, a part of the receiver's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from receiver.names import Names
from receiver.recording.plan import Plan
from receiver.recording.schedule import Schedule
from shared.amount import parse_age, parse_size
from shared.frame import CAMERA_NAME
from shared.settings import Expect, Settings


def _check_folder(path: Path) -> Path:
    # It is not made: on a disk that is not mounted it would fill another one.
    if not (path.is_dir() and os.access(path, os.W_OK | os.X_OK)):
        raise ValueError
    return path


def _check_cameras(names: list[str]) -> list[str]:
    if not all(CAMERA_NAME.fullmatch(name) for name in names):
        raise ValueError
    return names


def _check_times(words: list[str]) -> list[str]:
    Schedule.parse(words)
    return words


Folder = Annotated[
    Path, AfterValidator(_check_folder), Expect("a folder that is there and can be written to")
]
Cameras = Annotated[
    Names, AfterValidator(_check_cameras), Expect("names of cameras, separated by commas")
]
Times = Annotated[
    Names,
    AfterValidator(_check_times),
    Expect("always, event or times such as 08:00-18:30, several separated by commas"),
]
Size = Annotated[int, BeforeValidator(parse_size), Expect("a size such as 500MB, 20GB or 1.5TB")]
Age = Annotated[float, BeforeValidator(parse_age), Expect("an age such as 12h, 7d or 4w")]
Before = Annotated[float, Field(ge=0, le=600), Expect("seconds from 0 to 600")]
Length = Annotated[float, Field(ge=1, le=86400), Expect("seconds from 1 to 86400")]


class RecordingConfig(Settings):
    """What is recorded, and how much of it is kept."""

    record: Folder | None = Field(
        None, description="record cameras into this folder; default: nothing is recorded"
    )
    record_camera: Cameras = Field([], description="the cameras that are recorded; default: all")
    record_when: Times = Field(
        [],
        description="HH:MM-HH:MM in local time; event: when a hook returns record: SECONDS;"
        " default: always",
    )
    record_before: Before = Field(
        5.0, description="seconds before an event that are recorded too, held in memory"
    )
    record_segment: Length = Field(300.0, description="seconds of one file at most")
    record_max_size: Size | None = Field(
        None, description="beyond, the oldest recordings are removed, such as 20GB; default: never"
    )
    record_max_age: Age | None = Field(
        None, description="older recordings are removed, such as 7d or 12h; default: never"
    )

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        lost = [name for name in cls._names() if name in given and not given.get("record")]
        return [
            *super().cross_check(given),
            *(
                f"RECEIVER_{name.upper()}: expected RECEIVER_RECORD besides, the folder to record"
                " into, got none"
                for name in lost
            ),
        ]

    def recording(self) -> Plan | None:
        """Return what is to be recorded, None where nothing is."""
        if self.record is None:
            return None
        return Plan(
            folder=self.record,
            schedule=Schedule.parse(self.record_when or ["always"]),
            cameras=frozenset(self.record_camera) or None,
            before=self.record_before,
            segment=self.record_segment,
            max_bytes=self.record_max_size,
            max_age=self.record_max_age,
        )

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in RecordingConfig.model_fields if name.startswith("record_")]
