"""Trial: a source is opened and read for some seconds, whatever comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sender.check.findings import Findings
from sender.source import open_source
from sender.sources.contract import EndOfSource, SourceError, SourceOptions


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found, and what ended it: None when all the time was spent reading."""

    findings: Findings
    trouble: SourceError | None = None


class Trial:
    """For one run. `stop` may be called from any other thread."""

    def __init__(self, url: str, options: SourceOptions, *, seconds: float) -> None:
        """Read `url` for `seconds` from its first picture on; raise ConfigError."""
        self._findings = Findings(time.monotonic())
        # Arrival counts here; the camera's own clock is looked at apart from it.
        wanted = replace(options, observe=self._findings.observe, capture_time="arrival")
        self._source = open_source(url, wanted)
        self._seconds = seconds

    def run(self, show: Callable[[Findings], None] = lambda findings: None) -> Outcome:
        """Return the outcome; `show` is called for each picture. Takes no longer than the source's
        own time-outs and `seconds` together."""
        found = self._findings
        try:
            try:
                self._read(show)
            except SourceError:
                # What the direct reader gives up half-way is FFmpeg's from the next start on.
                if found.taken_over is None or found.pictures:
                    raise
                self._source.close()
                self._read(show)
        except EndOfSource:
            return Outcome(found)
        except SourceError as exc:
            return Outcome(found, exc)
        finally:
            self._source.close()
        return Outcome(found)

    def stop(self) -> None:
        """Make `run` return soon."""
        self._source.interrupt()

    def _read(self, show: Callable[[Findings], None]) -> None:
        self._source.open()
        end = None
        while end is None or time.monotonic() < end:
            self._findings.put(self._source.read())
            show(self._findings)
            if end is None:
                end = time.monotonic() + self._seconds
