"""Where frames come from: pick the source for a URL. What a source promises is in the contract."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from sender.sources.address import parse
from sender.sources.contract import (
    REASONS,
    EndOfSource,
    Reason,
    Shot,
    Source,
    SourceError,
    SourceOptions,
)
from sender.sources.device import DeviceSource
from sender.sources.file import FileSource
from sender.sources.folder import SUFFIXES, FolderSource
from sender.sources.http import HttpSource
from sender.sources.network import NetworkSource
from sender.sources.recording import RecordingSource
from sender.sources.rtsp import RtspSource
from sender.sources.testsrc import PatternSource
from shared.errors import ConfigError
from shared.recording import is_recorded
from shared.redact import redact

__all__ = [
    "REASONS",
    "EndOfSource",
    "Reason",
    "Shot",
    "Source",
    "SourceError",
    "SourceOptions",
    "open_source",
]

_NETWORK = ("udp", "rtp", "srt", "tcp", "rtmp", "rtmps")
_SCHEMES = ("rtsp", "rtsps", "http", "https", *_NETWORK, "file")
_TAKEN = (
    "rtsp://, rtsps://, http://, https://, udp://, rtp://, srt://, tcp:// or rtmp://, a video "
    "file, a recording, a folder of images, a device number, or testsrc"
)


def open_source(url: str, options: SourceOptions) -> Source:
    """Return the source that reads `url`; nothing is opened yet.

    Raise ConfigError, in one sentence without passwords, when it is nothing that we read.
    """
    if url == "testsrc":
        return PatternSource(options)
    if re.fullmatch(r"[0-9]{1,3}", url):
        return DeviceSource(int(url), options)
    if url.startswith("/dev/video"):
        return DeviceSource(url, options)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _open_path(url, options)
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise ConfigError(f"source: expected {_TAKEN}, got {redact(url)!r}{_guess(scheme, '://')}")
    if scheme == "file":
        return _open_path(rest.removeprefix("localhost"), options)
    if scheme in _NETWORK:
        return NetworkSource(url, options)
    try:
        address = parse(url)
    except ConfigError as exc:
        raise ConfigError(f"source: {exc}") from None
    if scheme in ("rtsp", "rtsps"):
        return RtspSource(address, options)
    return HttpSource(address, options)


def _open_path(name: str, options: SourceOptions) -> Source:
    path = Path(name)
    try:
        known = bool(name) and path.exists()
    except OSError:
        known = False
    if not known:
        # It may be a URL whose scheme was forgotten, with a password in it all the same.
        shown = redact(f"://{name}").removeprefix("://")
        raise ConfigError(
            f"source: expected {_TAKEN}; there is no file or folder {shown!r}{_guess(name, '')}"
        )
    if is_recorded(path):
        return RecordingSource(path, options)
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        return FolderSource(path, options)
    return FileSource(path, options)


def _guess(word: str, suffix: str) -> str:
    known = ("rtsp", "http", "https", "udp", "srt", "file") if suffix else ("testsrc",)
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {close[0]}{suffix}?" if close else ""
