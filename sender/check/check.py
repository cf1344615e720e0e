"""Check: one source tried, reported, and told of; what `--check` does."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict
from typing import TextIO
from urllib.parse import urlsplit

from sender.check import sheet
from sender.check.advice import advise, command
from sender.check.diagnosis import Diagnosis, diagnose
from sender.check.report import Report
from sender.check.trial import Outcome, Trial
from sender.sources.address import Address, parse
from sender.sources.contract import SourceOptions
from shared.errors import ConfigError
from shared.redact import redact

_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
_TRY_SECONDS = 1.0


class Check:
    """Try `url` for `seconds`. For one run; raise ConfigError for what is no source."""

    def __init__(self, url: str, options: SourceOptions, *, seconds: float) -> None:
        self._trial = Trial(url, options, seconds=seconds)
        self._options = options
        self._seconds = seconds
        self._scheme, self._shown, self._address = _describe(url)
        self._has_login = self._address is not None and self._address.user is not None

    def run(self, out: TextIO, err: TextIO, *, as_json: bool) -> int:
        """Write to `out` what is found, progress to `err` where that is a terminal.

        Return 0 when pictures came to the end, 1 when not.
        """
        if err.isatty():
            ticker = sheet.Ticker(err, self._shown)
            outcome = self._trial.run(ticker.show)
            ticker.clear()
        else:
            outcome = self._trial.run()
        is_rtsp = self._scheme.startswith("rtsp")
        report = Report.of(
            outcome.findings, transport=self._options.rtsp_transport if is_rtsp else None
        )
        diagnosis = self._diagnose(outcome)
        start = command(self._shown, self._options, has_login=self._has_login)
        if as_json:
            self._write_json(out, report, diagnosis, start)
        else:
            self._write_sheet(out, report, diagnosis, start)
        return 0 if diagnosis is None else 1

    def stop(self) -> None:
        """End a run early; from any thread but the one that runs."""
        self._trial.stop()

    def _diagnose(self, outcome: Outcome) -> Diagnosis | None:
        found = outcome.findings
        if outcome.trouble is None and (found.whole or not found.pictures):
            return None
        if outcome.trouble is None:
            return Diagnosis.of_damage(self._shown)
        if outcome.trouble.reason == "timeout" and not found.answers and found.connected is None:
            # Only the direct RTSP reader says whether anybody listens.
            found.connected = time.monotonic() if _is_taken(self._address) else None
        return diagnose(
            outcome.trouble,
            found,
            scheme=self._scheme,
            transport=self._options.rtsp_transport,
            has_login=self._has_login,
        )

    def _write_json(
        self, out: TextIO, report: Report, diagnosis: Diagnosis | None, start: str
    ) -> None:
        verdict = {
            "source": self._shown,
            "readable": diagnosis is None,
            "cause": diagnosis.cause if diagnosis else None,
            "problem": diagnosis.sentence if diagnosis else None,
            "hints": self._hints(report, diagnosis),
            "command": start if diagnosis is None else None,
        }
        out.write(json.dumps(verdict | asdict(report), indent=2) + "\n")

    def _write_sheet(
        self, out: TextIO, report: Report, diagnosis: Diagnosis | None, start: str
    ) -> None:
        is_stopped = diagnosis is not None and diagnosis.cause == "stopped"
        verdict = "stopped before it was done" if is_stopped else "cannot be read"
        out.write(f"{self._shown}: {verdict if diagnosis is not None else 'can be read'}\n")
        out.writelines(f"{line}\n" for line in sheet.lines(report))
        if diagnosis is not None and not is_stopped:
            problem = diagnosis.sentence.removeprefix(f"{self._shown}: ")
            out.write(f"  {'problem':<12} {problem}\n")
        out.writelines(f"  {'hint':<12} {hint}\n" for hint in self._hints(report, diagnosis))
        if diagnosis is None:
            out.write(f"  {'start':<12} {start}\n")

    def _hints(self, report: Report, diagnosis: Diagnosis | None) -> tuple[str, ...]:
        return diagnosis.hints if diagnosis else advise(report, watched=self._seconds)


def _describe(url: str) -> tuple[str, str, Address | None]:
    """Return scheme (empty for what is here), the URL for people, and its parts if it has any."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.lower() == "file":
        return "", redact(url), None
    try:
        address = parse(url)
    except ConfigError:  # udp://@:1234 and the like, which only FFmpeg reads
        return scheme.lower(), redact(url), None
    return address.scheme, address.shown, address


def _is_taken(address: Address | None) -> bool:
    """Say whether somebody takes a connection at the place of a URL of TCP."""
    if address is None or address.scheme not in _PORTS:
        return False
    port = urlsplit(f"//{address.place}").port or _PORTS[address.scheme]
    try:
        socket.create_connection((address.host, port), timeout=_TRY_SECONDS).close()
    except OSError:
        return False
    return True
