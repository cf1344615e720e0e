from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measuring import sink
from benchmarks.programs import hashing_hook
from benchmarks.programs.mjpeg_camera import comment
from receiver.frame import Frame
from shared import codec, jpeg, pattern
from shared.frame import EncodedFrame

JPEG = codec.encode(pattern.draw(7, 160, 120), 80)


def test_a_comment_makes_other_bytes_and_the_same_picture() -> None:
    first, second = comment(JPEG, 1), comment(JPEG, 2)

    assert len({JPEG, first, second}) == 3
    assert jpeg.read_header(second).end == len(second)
    assert np.array_equal(codec.decode(second), codec.decode(JPEG))


def test_the_hook_notes_the_digest_of_the_bytes_that_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hashing_hook.VARIABLE, str(tmp_path / "digests"))
    monkeypatch.setenv(sink.VARIABLE, str(tmp_path / "notes"))
    shots = [comment(JPEG, number) for number in range(2)]
    hook = hashing_hook.Hashing()
    hook.setup()
    for shot in shots:
        facts = {"epoch": "e", "seq": 0, "captured_at": 1.0, "width": 160, "height": 120}
        hook.process(Frame(EncodedFrame(camera="cam1", data=shot, **facts)))  # type: ignore[arg-type]
    hook.teardown()

    assert hashing_hook.read_digests(tmp_path / "digests") == [
        hashlib.sha256(shot).digest() for shot in shots
    ]
    assert [note.number for note in sink.read_notes(tmp_path / "notes")] == [7, 7]


def test_half_a_digest_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "digests").write_bytes(os.urandom(40))

    assert len(hashing_hook.read_digests(tmp_path / "digests")) == 1
