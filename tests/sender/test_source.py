"""Which source reads which URL, and the sentence for what none reads."""

from __future__ import annotations

import errno
import ssl
from pathlib import Path

import av.error
import pytest

from sender.source import REASONS, SourceError, SourceOptions, open_source
from sender.sources.device import DeviceSource
from sender.sources.file import FileSource
from sender.sources.folder import FolderSource
from sender.sources.http import HttpSource
from sender.sources.network import NetworkSource
from sender.sources.rtsp import RtspSource
from sender.sources.testsrc import PatternSource
from sender.sources.trouble import explain
from shared.errors import ConfigError

OPTIONS = SourceOptions()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://cam/live", RtspSource),
        ("RTSPS://u:p@cam:322/live", RtspSource),
        ("http://cam/video.mjpg", HttpSource),
        ("https://u:p@cam/snapshot.jpg", HttpSource),
        ("udp://@239.0.0.1:1234", NetworkSource),
        ("srt://cam:9000?mode=caller", NetworkSource),
        ("testsrc", PatternSource),
        ("0", DeviceSource),
        ("12", DeviceSource),
        ("/dev/video2", DeviceSource),
    ],
)
def test_the_scheme_picks_the_source(url: str, kind: type) -> None:
    assert type(open_source(url, OPTIONS)) is kind


def test_a_path_picks_by_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "a clip@home.mp4"
    clip.touch()
    (tmp_path / "photo.JPG").touch()
    monkeypatch.chdir(tmp_path)

    assert isinstance(open_source(str(clip), OPTIONS), FileSource)
    assert isinstance(open_source("a clip@home.mp4", OPTIONS), FileSource)
    assert isinstance(open_source(f"file://{clip}", OPTIONS), FileSource)
    assert isinstance(open_source(str(tmp_path), OPTIONS), FolderSource)
    assert isinstance(open_source("photo.JPG", OPTIONS), FolderSource)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("rtps://cam/live", "did you mean rtsp://?"),
        ("htp://cam/live", "did you mean http://?"),
        ("testsc", "did you mean testsrc?"),
        ("nothing.mp4", "there is no file or folder 'nothing.mp4'"),
        ("", "there is no file or folder ''"),
        ("ftp://u:secret@cam/x", "ftp://***@cam/x"),
        ("rtsp://u:secret@:554/x", "HOST"),
        ("rtsp://u:secret@cam:0/x", "HOST"),
        ("u:secret@10.0.0.7/live", "***@10.0.0.7/live"),
        ("-1", "device number"),
        ("x" * 5000, "there is no file or folder"),
        ("a\0b", "there is no file or folder"),
    ],
)
def test_what_nothing_reads_is_a_wrong_setting_with_one_sentence(url: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_source(url, OPTIONS)

    assert hint in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def exceptions_of_pyav() -> list[type[av.error.FFmpegError]]:
    found = [value for value in vars(av.error).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, av.error.FFmpegError)]


def test_every_exception_of_pyav_becomes_a_sentence_with_a_reason() -> None:
    kinds = exceptions_of_pyav()
    assert len(kinds) > 40

    for kind in kinds:
        error = explain(kind(5, "said FFmpeg", "rtsp://u:secret@cam/x"), "rtsp://cam/x")

        assert error.reason in REASONS, kind
        assert str(error).startswith("rtsp://cam/x: "), kind
        assert "secret" not in str(error), kind


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (av.error.HTTPUnauthorizedError(1, ""), "auth"),
        (av.error.HTTPForbiddenError(1, ""), "auth"),
        (av.error.HTTPNotFoundError(1, ""), "not_found"),
        (av.error.ConnectionRefusedError(errno.ECONNREFUSED, ""), "refused"),
        (av.error.OSError(errno.EHOSTUNREACH, ""), "refused"),
        (OSError(errno.ENETUNREACH, ""), "refused"),
        (av.error.TimeoutError(errno.ETIMEDOUT, ""), "timeout"),
        (av.error.ExitError(1, ""), "timeout"),
        (TimeoutError(), "timeout"),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "auth"),
        (av.error.EOFError(1, ""), "ended"),
        (av.error.ConnectionResetError(errno.ECONNRESET, ""), "ended"),
        (av.error.BrokenPipeError(errno.EPIPE, ""), "ended"),
        (av.error.InvalidDataError(1, ""), "format"),
        (av.error.ProtocolNotFoundError(1, ""), "format"),
        (av.error.OSError(errno.EIO, "Input/output error"), "io"),
        (av.error.PermissionError(errno.EACCES, "Permission denied"), "io"),
    ],
)
def test_what_went_wrong_has_a_reason(trouble: Exception, reason: str) -> None:
    assert explain(trouble, "cam").reason == reason


def test_only_what_no_retry_can_help_is_permanent() -> None:
    assert explain(av.error.ProtocolNotFoundError(1, ""), "cam").permanent
    assert not explain(av.error.InvalidDataError(1, ""), "cam").permanent


def test_a_source_error_hides_passwords() -> None:
    error = SourceError("rtsp://u:secret@cam: refused", reason="refused")

    assert "secret" not in str(error) + repr(error) + repr(error.args)
