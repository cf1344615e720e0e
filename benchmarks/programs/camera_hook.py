"""A hook that notes each frame in a file of its camera's own."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.measuring.sink import VARIABLE, Sink
from receiver.frame import Frame


class Noting:
    """As reading_hook's, but the environment names a folder, in which files are named by camera."""

    def setup(self) -> None:
        self._folder = Path(os.environ[VARIABLE])
        self._sinks: dict[str, Sink] = {}

    def process(self, frame: Frame) -> int | None:
        sink = self._sinks.get(frame.camera)
        if sink is None:
            sink = self._sinks[frame.camera] = Sink(str(self._folder / frame.camera))
        return sink.take(frame.image)

    def teardown(self) -> None:
        for sink in self._sinks.values():
            sink.close()
