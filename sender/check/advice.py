"""Advice: what could be better about a source that can be read, and how to start with it."""

from __future__ import annotations

import shlex
from typing import Literal

from sender.check.report import Report
from sender.sources.contract import SourceOptions
from shared.redact import redact

#: Seconds between key pictures, from which on a loss is plainly seen.
_RARE_KEYS = 4.0
#: A rate below this share of what is announced wants an explanation.
_SLOW = 0.8


def advise(report: Report, *, watched: float) -> tuple[str, ...]:
    """Return a hint for each thing that could be better; `watched` is seconds."""
    found = []
    if report.taken_over is not None:
        found.append(
            f"FFmpeg reads it, a picture's time later than the direct reader would: "
            f"{report.taken_over}"
        )
    if (report.key_seconds or 0) > _RARE_KEYS or (
        report.keys == 1 and report.pictures > 1 and watched > _RARE_KEYS and report.packets
    ):
        found.append(
            "key frames come rarely: after a loss, and at each start, pictures stay away until the "
            "next one; set the camera's I-frame interval (GOP) to 1 or 2 s"
        )
    if report.packets_lost or report.pictures_damaged or report.pictures_lost:
        found.append(_on_loss(report.transport))
    if report.clock == "not set":
        found.append(
            "the camera's clock is not set, so pictures' ages count from their arrival; set NTP in "
            "the camera"
        )
    if report.fps and report.fps_announced and report.fps < _SLOW * report.fps_announced:
        found.append(
            f"it announces {report.fps_announced:g} pictures a second and sends {report.fps:g}: "
            "long exposure in the dark, or a camera or a network that is too busy"
        )
    return tuple(found)


def command(shown: str, options: SourceOptions, *, has_login: bool) -> str:
    """Return the line that starts a sender with this source; `shown` is free of passwords."""
    scheme, separator, rest = shown.partition("://")
    if has_login:
        shown = f"{scheme}{separator}USER:PASSWORD@{rest.rpartition('@')[2]}"
    words = ["python", "-m", "sender", "--camera", "cam1", "--source", shown]
    words += ["--to", "http://127.0.0.1:8000"]
    if options.rtsp_transport != "tcp":
        words += ["--rtsp-transport", options.rtsp_transport]
    if options.rtsp_reader != "auto":
        words += ["--rtsp-reader", options.rtsp_reader]
    return redact(shlex.join(words)) if not has_login else shlex.join(words)


def _on_loss(transport: Literal["tcp", "udp"] | None) -> str:
    if transport == "udp":
        return "packets get lost on the way: try --rtsp-transport tcp"
    return (
        "the camera leaves parts out, or the network is too slow for it: lower its bit rate, or "
        "choose the sub-stream"
    )
