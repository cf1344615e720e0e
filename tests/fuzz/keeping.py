"""What is read from disks, whoever wrote it: recordings, records of a spool, files of tokens."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

from receiver.access.token_file import read_tokens
from sender.spool import record
from shared.errors import ConfigError, RecordingError
from shared.film import Film
from shared.frame import EncodedFrame
from shared.recording import Recording
from shared.sidecar import Sidecar, Survey
from tests.fuzz.target import Target, check

_SECRET = "a-token-that-no-message-may-show"


@cache
def _folder() -> Path:
    """Return this process's own folder, in memory where the machine has such."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="framepost-fuzz-", dir=memory if memory.exists() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _file(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


def _sidecar(data: bytes) -> None:
    with suppress(RecordingError):
        sidecar = Sidecar.open(_file("a.jsonl", data))
        frames = list(sidecar.frames())
        results = sidecar.results()
        check(len(list(results)) == len(results), "results are counted as they are read")
        survey = sidecar.survey()
        check(survey.frames >= 0 and survey.events >= 0, "a survey counts")
        check(sidecar.survey(Survey()).frames == survey.frames, "it is the same again")
        check(all(frame.seq >= 0 for frame in frames), "a number counts")


def _film(data: bytes) -> None:
    with suppress(RecordingError), Film(_file("a.mkv", data)) as film:
        check(isinstance(film.created, str), "a film says when it was made")
        taken = sum(len(picture) for _, picture in islice(film.pictures(), 100))
        check(taken <= 100 * max(1, len(data)), "pictures are a part of the film")


def _recording(data: bytes) -> None:
    """Read a film with lines beside it; a NUL line divides them."""
    film, _, lines = data.partition(b"\n\0\n")
    _file("20261121T140501.123Z.jsonl", lines)
    path = _file("20261121T140501.123Z.mkv", film)
    with suppress(RecordingError):
        recording = Recording.open(path)
        for frame in islice(recording.frames(), 100):
            check(isinstance(frame, EncodedFrame), "a frame is one")


def _body(data: bytes) -> None:
    frame = record.unpack(data, "door", is_own=bool(data[:1] == b"\1"))
    if frame is not None:
        check(data.endswith(frame.data), "a picture is the end of a body")
        again = record.unpack(_unpacked(record.pack(7, frame)), "door", is_own=True)
        check(again is not None and again.data == frame.data, "what is read can be written")


def _unpacked(packed: bytes) -> bytes:
    return packed[record.HEAD :]


def _tokens(data: bytes) -> None:
    try:
        read_tokens(_file("tokens.yaml", data))
    except ConfigError as exc:
        if b"token: " + _SECRET.encode() in data:
            check(_SECRET not in str(exc), "no message shows a token")


def _make_record() -> bytes:
    frame = EncodedFrame(
        camera="door",
        epoch="e",
        seq=7,
        captured_at=1700000000.0,
        data=b"\xff\xd8\xff\xd9",
        width=16,
        height=16,
        arrived=1.5,
    )
    return record.pack(3, frame)


_LINES = (
    b'{"recording": 1, "camera": "door", "started": 1700000000.5}\n'
    b'{"frame": 0, "pts": 0, "epoch": "e", "seq": 7, "captured_at": 1.5, "width": 16}\n'
    b'{"result": {"camera": "door", "epoch": "e", "seq": 7, "result": {"a": 1}}}\n'
    b'{"event": "motion", "at": 1.5}\n'
    b'{"end": 1700000001.5, "frames": 1, "events": 1}\n'
)
_MATROSKA = (
    b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02"
    b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
    b"\x15\x49\xa9\x66\x87\x2a\xd7\xb1\x83\x0f\x42\x40"
    b"\x16\x54\xae\x6b\x9d\xae\x9b\xd7\x81\x01\x73\xc5\x81\x01\x83\x81\x01"
    b"\x86\x87V_MJPEG\xe0\x86\xb0\x81\x10\xba\x81\x10"
    b"\x1f\x43\xb6\x75\x8d\xe7\x81\x00\xa3\x88\x81\x00\x00\x80\xff\xd8\xff\xd9"
)
_TOKENS = (
    b"- name: door\n  role: ingest\n  cameras: [door]\n  token: %b\n"
    b"- name: wall\n  role: [view, admin]\n  token_sha256: %b\n"
) % (_SECRET.encode(), b"0" * 64)

_RUNS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "sidecar": (_sidecar, (_LINES, _LINES[:-20])),
    "film": (_film, (_MATROSKA,)),
    "recording": (_recording, (_MATROSKA + b"\n\0\n" + _LINES,)),
    "record": (_body, (_unpacked(_make_record()),)),
    "tokens": (_tokens, (_TOKENS,)),
}
TARGETS = {name: Target(run, seeds) for name, (run, seeds) in _RUNS.items()}
