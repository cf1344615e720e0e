"""Ways of asking from Java, in a program of its own, which times itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.callers.contract import Shot, check
from benchmarks.measuring.program import ROOT

_SOURCES = [ROOT / "clients" / "java", ROOT / "benchmarks" / "java"]


def compile_java(folder: Path) -> None:
    """Compile client and caller into `folder`; raise CalledProcessError with javac's words."""
    files = [str(path) for source in _SOURCES for path in sorted(source.rglob("*.java"))]
    subprocess.run(["javac", "-d", str(folder), *files], check=True)


#: These send pixels, the others JPEGs.
_PIXELS = {"raw", "kserve", "memory"}


class Java:
    """Pictures that the program has loaded before; `how` is one of AnswerCaller's words."""

    def __init__(self, url: str, classes: Path, shots: Sequence[Shot], how: str) -> None:
        height, width = shots[0].image.shape[:2]
        files = []
        for shot in shots:
            path = classes / f"{shot.number}.{'bgr' if how in _PIXELS else 'jpg'}"
            path.write_bytes(shot.image.tobytes() if how in _PIXELS else shot.jpeg)
            files.append(str(path))
        self._process = subprocess.Popen(
            [
                "java",
                "-cp",
                str(classes),
                "AnswerCaller",
                url,
                how,
                str(width),
                str(height),
                *files,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._places = {shot.number: place for place, shot in enumerate(shots)}

    def call(self, shot: Shot) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._places[shot.number]}\n")
        number, nanoseconds = self._process.stdout.readline().split()
        check(shot, int(number))
        return int(nanoseconds) / 1e9

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
