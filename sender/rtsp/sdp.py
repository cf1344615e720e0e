"""The SDP that DESCRIBE answers (RFC 4566): the video in it, and the URLs to ask for it with."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sender.rtsp.message import Unusual, write_url

CODECS = ("H264", "H265", "JPEG")
#: RFC 3551: Motion JPEG's number needs no rtpmap.
_JPEG_TYPE = 26

_RTPMAP = re.compile(r"(\d{1,3})\s+([^/\s]+)\s*/\s*(\d{1,9})(?:\s*/.*)?", re.ASCII)
_FMTP = re.compile(r"(\d{1,3})\s+(.*)", re.ASCII)
_RATE = re.compile(r"\d{1,3}(?:\.\d{1,9})?", re.ASCII)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://", re.ASCII)
_USER_INFO = re.compile(r"(?<=://)[^/?#]*@")
_START_CODE = re.compile(rb"\A\x00{0,3}\x00\x00\x01")
#: Where each codec's parameter sets stand (RFC 6184, 8.1; RFC 7798, 7.1), and their unit types.
_SETS: dict[str, tuple[tuple[str, frozenset[int]], ...]] = {
    "H264": (("sprop-parameter-sets", frozenset((7, 8))),),
    "H265": (
        ("sprop-vps", frozenset((32,))),
        ("sprop-sps", frozenset((33,))),
        ("sprop-pps", frozenset((34,))),
    ),
    "JPEG": (),
}


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One video as a description tells of it."""

    #: One of CODECS.
    codec: str
    payload_type: int
    #: Of RTP's timestamps, in Hz.
    clock_rate: int
    #: The codec's own parameters (fmtp); names in lower case.
    parameters: Mapping[str, str]
    #: The NAL units that a decoder starts with; those that are malformed are left out.
    parameter_sets: tuple[bytes, ...]
    #: The absolute URL for SETUP.
    control: str
    #: Pictures a second, where the description says so.
    fps: float | None


@dataclass(frozen=True, slots=True)
class Description:
    """What a camera offers: its first video, and the URL that plays all that was set up."""

    video: VideoTrack
    aggregate: str

    @classmethod
    def parse(cls, text: str, *, base: str) -> Description | None:
        """Read a description; None when there is no video in it, Unusual when we cannot read it.

        `base` is what its relative URLs are relative to.
        """
        media = [_Media()]
        for line in re.split(r"[\r\n]+", text):
            kind, _, value = line.partition("=")
            if kind == "m":
                media.append(_Media(value))
            elif kind == "a":
                name, _, value = value.partition(":")
                media[-1].attributes.append((name.strip().lower(), value.strip()))
        session, *tracks = media
        video = next((track for track in tracks if track.kind == "video"), None)
        if video is None:
            return None
        aggregate = join(base, session.first("control"))
        return cls(video.read(aggregate), aggregate)


def base_of(url: str, headers: Sequence[str]) -> str:
    """Return what relative URLs are relative to (RFC 2326, C.1.1).

    `url` is what was asked for; `headers` are Content-Base and Content-Location, either of which
    may be empty. One that is neither a URL nor a path from the root says nothing.
    """
    for header in headers:
        if _ABSOLUTE.match(header):
            return join(url, header)
        if header.startswith("/"):
            return write_url("/".join(url.split("/", 3)[:3]) + header)
    return url


def join(base: str, control: str) -> str:
    """Return the absolute URL of `control`, without user and password.

    A relative one is put behind the base, query and all, with one slash between: so do FFmpeg and
    the cameras, whatever RFC 1808 says.
    """
    if control in ("", "*"):
        return base
    if _ABSOLUTE.match(control):
        return write_url(_USER_INFO.sub("", control, count=1))
    if control.startswith("?"):
        return write_url(base + control)
    return write_url(f"{base.removesuffix('/')}/{control.removeprefix('/')}")


@dataclass(slots=True)
class _Media:
    """One `m=` part with its attributes; the one without a line is the session's."""

    line: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.line.partition(" ")[0].strip().lower()

    def all(self, name: str) -> Iterator[str]:
        return (value for key, value in self.attributes if key == name)

    def first(self, name: str) -> str:
        return next(self.all(name), "")

    def read(self, base: str) -> VideoTrack:
        """Raise Unusual where it is of a kind that we do not take apart."""
        fields = self.line.split()
        profile = fields[2] if len(fields) > 2 else ""
        if profile.upper() not in ("RTP/AVP", "RTP/AVPF", "RTP/AVP/TCP", "RTP/AVP/UDP"):
            raise Unusual(f"its video comes as {profile[:40]!r}, not as RTP/AVP")
        names = self._names()
        for text in fields[3:]:
            number = int(text) if re.fullmatch(r"\d{1,3}", text, re.ASCII) else -1
            codec, rate = names.get(number, ("", 0))
            if codec in CODECS and rate > 0:
                parameters = self._parameters(number)
                return VideoTrack(
                    codec=codec,
                    payload_type=number,
                    clock_rate=rate,
                    parameters=parameters,
                    parameter_sets=tuple(_parameter_sets(codec, parameters)),
                    control=join(base, self.first("control")),
                    fps=_rate(self.first("framerate")),
                )
        said = ", ".join(codec for codec, _ in names.values()) or "unnamed"
        raise Unusual(f"its video is {said[:80]!r}, not one of {', '.join(CODECS)}")

    def _names(self) -> dict[int, tuple[str, int]]:
        """Return codec and clock rate of each payload type that is named."""
        names = {_JPEG_TYPE: ("JPEG", 90_000)} if str(_JPEG_TYPE) in self.line.split()[3:] else {}
        for value in self.all("rtpmap"):
            if found := _RTPMAP.fullmatch(value):
                names[int(found[1])] = (found[2].upper(), int(found[3]))
        return names

    def _parameters(self, number: int) -> dict[str, str]:
        parameters: dict[str, str] = {}
        for value in self.all("fmtp"):
            found = _FMTP.fullmatch(value)
            if found is not None and int(found[1]) == number:
                for part in found[2].split(";"):
                    name, _, text = part.partition("=")
                    if name.strip():
                        parameters.setdefault(name.strip().lower(), text.strip())
        return parameters


def _parameter_sets(codec: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
    for name, types in _SETS[codec]:
        for text in parameters.get(name, "").split(","):
            try:
                unit = base64.b64decode(
                    text.strip() + "=" * (-len(text.strip()) % 4), validate=True
                )
            except ValueError:
                continue
            unit = _START_CODE.sub(b"", unit)  # some cameras write one
            if len(unit) > 2:
                kind = unit[0] & 0x1F if codec == "H264" else unit[0] >> 1 & 0x3F
                if kind in types and not unit[0] & 0x80:
                    yield unit


def _rate(text: str) -> float | None:
    return float(text) or None if _RATE.fullmatch(text) else None
