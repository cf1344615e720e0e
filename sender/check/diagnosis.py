"""Diagnosis: why a source gave nothing, in words that somebody can act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sender.check.findings import Findings
from sender.sources.contract import SourceError

Cause = Literal[
    "dns",
    "refused",  # nobody listens on that port
    "unreachable",  # the network does not lead there, or nothing answers
    "silent",  # somebody takes the connection and says nothing
    "not_rtsp",  # what listens there speaks HTTP
    "auth",
    "not_found",
    "busy",
    "transport",  # it does not send in the way that was asked for
    "no_packets",  # it plays, and nothing arrives
    "no_picture",
    "damaged",
    "format",
    "ended",
    "here",  # a file, folder or device of this machine
    "stopped",
]

#: From findings, RTSP's transport, and whether a user was given.
Hints = Callable[[Findings, str, bool], tuple[str, ...]]

_PATHS = (
    "usual paths: /Streaming/Channels/101 (Hikvision), /cam/realmonitor?channel=1&subtype=0 "
    "(Dahua), /axis-media/media.amp (Axis), /h264Preview_01_main (Reolink), /stream1 (TP-Link), "
    "/live/ch0 and /live (many others); the camera's manual or an ONVIF tool names it"
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and what to do about it."""

    cause: Cause
    sentence: str
    hints: tuple[str, ...] = ()

    @classmethod
    def of_damage(cls, name: str) -> Diagnosis:
        """Return what is wrong where pictures came, and none of them whole."""
        sentence = f"{name}: pictures come, and every one is damaged"
        return cls(
            "damaged",
            sentence,
            (
                "try --rtsp-transport tcp, or a lower bit rate in the camera",
                "key frames may come too rarely: set the camera's I-frame interval to 1 or 2 s",
            ),
        )


def diagnose(
    trouble: SourceError, found: Findings, *, scheme: str, transport: str, has_login: bool
) -> Diagnosis:
    """Say why `trouble` came, given what was met before it.

    `scheme` is the source's, empty for what is at this machine; `has_login` whether its URL has a
    user.
    """
    cause = _cause(trouble, found, scheme)
    return Diagnosis(cause, _sentence(cause, trouble), _HINTS[cause](found, transport, has_login))


def _sentence(cause: Cause, trouble: SourceError) -> str:
    more = {
        "silent": "; the connection is taken, and nothing comes",
        "not_rtsp": "; what listens there is a web server, and speaks no RTSP",
    }
    return f"{trouble}{more.get(cause, '')}"


def _cause(trouble: SourceError, found: Findings, scheme: str) -> Cause:
    if trouble.reason == "interrupted":
        return "stopped"
    if not scheme:
        return "here"
    status = found.answers[-1].status if found.answers else 0
    if scheme.startswith("rtsp") and "'HTTP/" in str(trouble):
        return "not_rtsp"
    if status in (429, 453) or status >= 500:
        return "busy"
    if status == 461:
        return "transport"
    if trouble.reason == "timeout":
        return _silence(found, scheme)
    by_reason: dict[str, Cause] = {
        "dns": "dns",
        "auth": "auth",
        "not_found": "not_found",
        "ended": "ended",
        "refused": "unreachable" if "does not lead" in str(trouble) else "refused",
    }
    if trouble.reason in by_reason:
        return by_reason[trouble.reason]
    return "no_picture" if found.first_packet is not None else "format"


def _silence(found: Findings, scheme: str) -> Cause:
    """Tell apart what all ends in a time-out, by how far it came."""
    if found.first_packet is not None:
        return "no_picture" if not found.pictures else "ended"
    if found.offered is not None and scheme.startswith("rtsp"):
        return "no_packets"
    if found.answers or found.connected is not None:
        return "silent"
    return "unreachable"


def _of_auth(found: Findings, transport: str, has_login: bool) -> tuple[str, ...]:
    schemes = next((a.schemes for a in reversed(found.answers) if a.schemes), ())
    asked = f" (it asks for {' or '.join(schemes)})" if schemes else ""
    if not has_login:
        return (f"it wants a user{asked}: rtsp://USER:PASSWORD@HOST/..., in quotes in a shell",)
    return (
        f"it does not take this user and password{asked}; try them on the camera's own web page",
        "cameras lock an account for minutes after a few wrong tries; some have one user for the "
        "page and another for RTSP or ONVIF",
    )


def _of_transport(found: Findings, transport: str, has_login: bool) -> tuple[str, ...]:
    return (f"try --rtsp-transport {'tcp' if transport == 'udp' else 'udp'}",)


def _of_no_packets(found: Findings, transport: str, has_login: bool) -> tuple[str, ...]:
    if transport == "udp":
        return ("a firewall or NAT keeps UDP out: try --rtsp-transport tcp",)
    return (
        "it plays, and sends no picture: does its own page show one? Restart the camera",
        "try --rtsp-transport udp",
    )


def _always(*hints: str) -> Hints:
    return lambda found, transport, has_login: hints


_HINTS: dict[Cause, Hints] = {
    "dns": _always("is the name spelt right, and known to this machine? Try the camera's address"),
    "refused": _always(
        "nothing listens on this port: RTSP is usually 554, HTTP 80; is RTSP switched on in the "
        "camera?"
    ),
    "unreachable": _always(
        "is the camera on, in the same network or routed to, and the address right? (ping it)",
        "a firewall that drops packets looks the same; in a container, see docs/troubleshooting.md",
    ),
    "silent": _always(
        "is it the right port (RTSP usually 554)? A camera that hangs looks the same: restart it"
    ),
    "not_rtsp": _always(
        "use the RTSP port, usually 554; or, if the camera gives MJPEG or JPEGs over HTTP, http://"
    ),
    "auth": _of_auth,
    "not_found": _always(_PATHS),
    "busy": _always(
        "too many viewers, or too little bandwidth left: close other viewers and recorders, or "
        "choose the sub-stream; cameras serve 2 to 10"
    ),
    "transport": _of_transport,
    "no_packets": _of_no_packets,
    "no_picture": _always(
        "packets come, but no picture that can be decoded: key frames may come too rarely, set the "
        "camera's I-frame interval to 1 or 2 s",
        "try --rtsp-reader ffmpeg",
    ),
    "damaged": _always(),
    "format": _always(
        "set the camera to H.264, H.265 or MJPEG; it may do so for its sub-stream only"
    ),
    "ended": _always("the camera, or something on the way, ended it: look into the camera's log"),
    "here": _always(),
    "stopped": _always(),
}
