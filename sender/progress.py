"""Progress: bars on the terminal, for sources whose number of frames is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never, TextIO

from tqdm import tqdm

from sender.pipeline import Pipeline


class Progress:
    """One bar for each camera that will end. `update` and `close` from one thread."""

    def __init__(self, pipelines: Sequence[Pipeline], *, stream: TextIO) -> None:
        self._pipelines = pipelines
        self._stream = stream
        self._bars: dict[str, tqdm[Never]] = {}
        # Its monitor is one more thread, for loops that forget to report.
        tqdm.monitor_interval = 0

    def update(self) -> None:
        """Show what is settled by now: answered, refused, superseded, failed or left out."""
        for pipeline in self._pipelines:
            length = pipeline.intake.length
            if length is None:
                continue
            if pipeline.camera not in self._bars:
                self._bars[pipeline.camera] = tqdm(
                    total=length, desc=pipeline.camera, unit=" frames", file=self._stream
                )
            bar = self._bars[pipeline.camera]
            books = pipeline.ledger.books()
            settled = books.captured - books.waiting + pipeline.intake.thinned
            bar.update(min(settled, length) - bar.n)

    def close(self) -> None:
        self.update()
        for bar in self._bars.values():
            bar.close()
