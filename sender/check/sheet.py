"""Sheet: a report for people, one line for each thing that could be found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from sender.check.findings import Findings
from sender.check.report import Report

_READERS = {
    "direct": "packet by packet, without delay",
    "ffmpeg": "by FFmpeg",
    "http": "over HTTP",
}
_LABEL = 12


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of everything that is known."""
    for label, text in _entries(report):
        yield f"  {label:<{_LABEL}} {text}"


def _entries(report: Report) -> Iterator[tuple[str, str]]:
    if report.server:
        yield "answered by", report.server
    if report.reader is not None:
        way = f", over {report.transport.upper()}" if report.transport else ""
        yield "read", _READERS[report.reader] + way
    codec = " ".join(word for word in (report.codec, report.profile) if word)
    size = f"{report.width}x{report.height}" if report.width else ""
    if codec or size:
        yield "video", ", ".join(word for word in (codec, size) if word)
    if report.fps is not None:
        said = "" if report.fps_announced is None else f"; announced: {report.fps_announced:g}"
        yield "rate", f"{report.fps:.1f} pictures a second{said}"
    yield from _stream(report)
    yield from _times(report)
    if report.pictures:
        damaged = report.pictures_damaged + report.pictures_lost
        yield "pictures", f"{report.pictures} in {report.seconds:.1f} s, {damaged} damaged"
    if report.packets is not None:
        yield "packets", f"{report.packets}, {report.packets_lost} lost"
        yield "clock", _clock(report)


def _stream(report: Report) -> Iterator[tuple[str, str]]:
    if report.key_seconds is not None and (report.key_pictures or 0) > 1:
        yield "key frames", f"every {report.key_seconds:.1f} s ({report.key_pictures} pictures)"
    elif report.key_pictures == 1:
        yield "key frames", "every picture is one"
    elif report.keys == 1 and report.pictures > 1:
        yield "key frames", f"one in {report.seconds:.1f} s"
    if report.bits_per_second:
        yield "bit rate", f"{report.bits_per_second / 1e6:.2f} Mbit/s"


def _times(report: Report) -> Iterator[tuple[str, str]]:
    times = [
        f"{what} after {ms:.0f} ms"
        for what, ms in (
            ("connected", report.connected_ms),
            ("first packet", report.first_packet_ms),
            ("first picture", report.first_picture_ms),
        )
        if ms is not None
    ]
    if times:
        yield "begin", ", ".join(times)
    if report.gap_p50_ms is not None:
        yield (
            "arrival",
            f"{report.gap_p50_ms:.0f} ms between pictures (95 %: {report.gap_p95_ms:.0f} ms, "
            f"worst: {report.gap_worst_ms:.0f} ms)",
        )


def _clock(report: Report) -> str:
    if report.clock == "unknown":
        return f"not known: the camera told no time in {report.seconds:.0f} s (RTCP)"
    if report.clock_behind is None:
        return "not set: the camera counts from its start (RTCP)"
    said = f"{abs(report.clock_behind):.3f} s from this machine's, the way here included (RTCP)"
    return f"{report.clock}: {said}"


class Ticker:
    """One line that is written over and over while a trial runs. For one thread."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._shown = 0.0
        self._write("connecting")

    def show(self, found: Findings) -> None:
        """Say how far it is, ten times a second at most."""
        if (now := found.captured[-1]) - self._shown >= 0.1:
            self._shown = now
            self._write(f"{now - found.captured[0]:.1f} s, pictures: {found.pictures}")

    def clear(self) -> None:
        self._stream.write("\r\x1b[K")
        self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{self._name[:48]}: {text}")
        self._stream.flush()
