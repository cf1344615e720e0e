"""Recording: one segment of a camera's frames in a file, each JPEG as it came.

`START.mkv` holds the JPEGs as Motion JPEG in Matroska, `START.jsonl` beside it says what each of
them is (see `shared/sidecar.py`); START is the time in UTC, as 20261121T140501.123Z. Any other film
of Motion JPEG (MKV, AVI, MOV) is a recording too, with less to say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from shared import jpeg
from shared.errors import FrameError, RecordingError
from shared.film import SUFFIXES, Film
from shared.frame import CAMERA_NAME, EncodedFrame
from shared.result_index import ResultIndex
from shared.sidecar import FrameLine, Sidecar, Survey, name_of, read_name

#: So many pictures in a row that are not what the sidecar says: it belongs to another film.
_STRANGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFrame(EncodedFrame):
    """A frame as it was recorded. `pts` is seconds from the first one of what is played."""

    pts: float


class Recording:
    """A film and, where there is one, its sidecar. Any thread; each `frames` reads for itself.

    Without a sidecar the camera is named by the folder where the file is named by a time, else by
    the file; the epoch is the start, `seq` counts from 0, and a start that neither the name nor
    the film says is 1970. What is damaged, such as a torn end, is left out.
    """

    def __init__(self, path: Path, sidecar: Sidecar | None, *, camera: str, started: float) -> None:
        """For `open`."""
        self.path = path
        self.sidecar = sidecar
        self.camera = camera
        #: Unix seconds.
        self.started = started

    @classmethod
    def open(cls, path: Path) -> Self:
        """Look at the beginnings of the film and of its sidecar; raise RecordingError.

        `path` is either of the two.
        """
        path = _film_beside(path) if path.suffix == ".jsonl" else path
        beside = path.with_suffix(".jsonl")
        with Film(path) as film:
            if beside.exists():
                sidecar = Sidecar.open(beside)
                return cls(path, sidecar, camera=sidecar.camera, started=sidecar.started)
            started = read_name(path.stem)
            if started is not None:
                return cls(path, None, camera=_name(path.resolve().parent.name), started=started)
            created = _read_iso(film.created)
            return cls(path, None, camera=_name(path.stem), started=created or 0.0)

    @property
    def length(self) -> int:
        """The number of frames; one that is torn may be among them."""
        return self._survey.frames

    @property
    def duration(self) -> float:
        """The seconds from the first frame to the last."""
        return self._survey.last / 1000

    @property
    def complete(self) -> bool:
        """Whether it was closed in order, and is not what a crash left."""
        return self._survey.complete

    @cached_property
    def _survey(self) -> Survey:
        if self.sidecar is not None:
            return self.sidecar.survey()
        times: list[float] = []
        with Film(self.path) as film:
            count = 0
            for at, _ in film.pictures():
                times = [*times[:1], at]
                count += 1
            last = round((times[-1] - times[0]) * 1000) if times else 0
            return Survey(count, last, film.was_closed)

    def frames(self, start: float = 0.0) -> Iterator[RecordedFrame]:
        """Yield the frames from `start` seconds on, as far as both files have them whole.

        Raise RecordingError when the files cannot be read, or do not belong together.
        """
        with Film(self.path) as film:
            if self.sidecar is None:
                found = self._alone(film)
            else:
                if start > 0:
                    film.seek(start)
                found = self._known(film, self.sidecar)
            yield from (frame for frame in found if frame.pts >= start)

    def results(self) -> ResultIndex:
        """Return the recorded results by (camera, epoch, seq); raise RecordingError without any."""
        if self.sidecar is None:
            raise RecordingError(f"{self.path}: has no results, for there is no .jsonl beside it")
        return self.sidecar.results()

    def _known(self, film: Film, sidecar: Sidecar) -> Iterator[RecordedFrame]:
        """Yield the pictures that the sidecar knows, by their times."""
        lines = sidecar.frames()
        line: FrameLine | None = None
        is_right = False
        strange = 0
        for at, data in film.pictures():
            pts = round(at * 1000)
            while line is None or line.pts < pts:
                line = next(lines, None)
                if line is None:
                    break
            if line is None or (strange == _STRANGE and not is_right):
                break
            if line.pts != pts:
                continue
            if line.size != len(data):
                strange += 1
                continue
            is_right = True
            frame = self._frame(data, pts / 1000, line.epoch, line.seq, line.captured_at)
            if frame is not None:
                yield frame
        # A single one is what was being written in a crash.
        if strange > 1 and not is_right:
            raise RecordingError(
                f"{sidecar.path}: tells of other pictures than those in {self.path.name}"
            )

    def _alone(self, film: Film) -> Iterator[RecordedFrame]:
        epoch = name_of(round(self.started, 3))
        zero: float | None = None
        for seq, (at, data) in enumerate(film.pictures()):
            zero = at if zero is None else zero
            frame = self._frame(data, at - zero, epoch, seq, self.started + at - zero)
            if frame is not None:
                yield frame

    def _frame(
        self, data: bytes, pts: float, epoch: str, seq: int, captured_at: float
    ) -> RecordedFrame | None:
        try:
            header = jpeg.read_header(data)
        except FrameError:
            return None
        return RecordedFrame(
            camera=self.camera,
            epoch=epoch,
            seq=seq,
            captured_at=captured_at,
            data=data,
            width=header.width,
            height=header.height,
            pts=pts,
        )


def is_recorded(path: Path) -> bool:
    """Say whether it is a film or a sidecar that have each other, or a folder (of folders) of such.

    It costs the look at one sidecar's first line, where there are any.
    """
    if path.is_dir():
        films = itertools.chain(path.glob("*.mkv"), path.glob("*/*.mkv"))
        return any(is_recorded(film) for film in films)
    beside = path.with_suffix(".jsonl")
    if path == beside and not path.with_suffix(".mkv").exists():
        return False
    try:
        Sidecar.open(beside)
    except RecordingError:
        return False
    return True


def find(path: Path) -> list[Recording]:
    """Return the recordings that a file is, or that a folder and its folders hold, by time.

    In a folder, films without a sidecar count only where none has one. Raise RecordingError.
    """
    if not path.is_dir():
        return [Recording.open(path)]
    films = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES)
    recorded = [film for film in films if is_recorded(film)]
    found = [Recording.open(film) for film in recorded or films]
    if not found:
        raise RecordingError(f"{path}: there is no recording in it ({', '.join(SUFFIXES)})")
    return sorted(found, key=lambda each: (each.camera, each.started, each.path))


def _film_beside(sidecar: Path) -> Path:
    for suffix in SUFFIXES:
        film = sidecar.with_suffix(suffix)
        if film.exists():
            return film
    raise RecordingError(f"{sidecar}: there is no {sidecar.stem}.mkv beside it")


def _read_iso(text: str) -> float | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _name(text: str) -> str:
    """Return a camera's name that is as near to the text as may be."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip("_.-")[:64]
    return name if CAMERA_NAME.fullmatch(name) else "film"
