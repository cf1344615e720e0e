"""Load: pictures posted by a compiled program, so that whoever takes them is the limit."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import numpy as np

#: Becomes the request's number on its connection; a head of a job may hold it.
NUMBER = "##########"
_SOURCE = Path(__file__).parent / "load.c"
#: Seconds beyond those of the load until it is given up.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """What each connection sends: `preamble` once, then head, picture and `tail` again and again.

    `heads` has for each connection a head for each picture.
    """

    heads: Sequence[Sequence[str]]
    pictures: Sequence[bytes]
    answer: Literal["http", "lines"] = "http"
    preambles: Sequence[str] = ()
    tail: bytes = b""

    def to_bytes(self) -> bytes:
        """Return it as load.c reads it."""
        blobs = [text.encode("latin-1") for text in self.preambles or [""] * len(self.heads)]
        blobs += [head.encode("latin-1") for heads in self.heads for head in heads]
        blobs += [*self.pictures, self.tail]
        parts = [struct.pack("<II", len(self.heads), len(self.pictures))]
        for blob in blobs:
            parts += [struct.pack("<I", len(blob)), blob]
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of a load: each answer's seconds since its request was due."""

    seconds: float
    #: CPU seconds of the load itself.
    cpu: float
    latencies: tuple[float, ...] = field(repr=False)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


class Load:
    """The program, compiled when this is entered. RuntimeError says what went wrong."""

    def __enter__(self) -> Self:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise RuntimeError("the load is a program in C: expected cc or gcc, got none")
        self._folder = tempfile.TemporaryDirectory()
        self._program = Path(self._folder.name) / "load"
        command = [compiler, "-O2", "-o", str(self._program), str(_SOURCE)]
        subprocess.run(command, check=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def run(self, url: str, job: Job, *, seconds: float, fps: float = 0.0) -> Answers:
        """Post for so long; `fps` is that of each connection, 0 as fast as it is answered."""
        place = urlsplit(url)
        arguments = [str(place.hostname), str(place.port), str(seconds), str(fps), job.answer]
        ended = subprocess.run(
            [str(self._program), *arguments],
            input=job.to_bytes(),
            capture_output=True,
            timeout=seconds + _PATIENCE,
            check=False,
        )
        if ended.returncode != 0:
            raise RuntimeError(ended.stderr.decode(errors="replace").strip() or "the load failed")
        elapsed, cpu, *latencies = np.frombuffer(ended.stdout, np.float64).tolist()
        return Answers(elapsed, cpu, tuple(latencies))
