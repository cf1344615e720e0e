from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from receiver.frame import Frame
from receiver.hub import Hub
from receiver.region import Region, SharedFrame
from shared import pattern
from shared.errors import FrameError

BGR = pattern.draw(9, 160, 120)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[int]:
    """A file that holds 100 bytes of something else, then the picture."""
    path = tmp_path / "memory"
    path.write_bytes(bytes(100) + BGR.tobytes())
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def shared_frame(fd: int, *, size: int = BGR.nbytes) -> SharedFrame:
    return SharedFrame(
        camera="cam1",
        epoch="e",
        seq=1,
        captured_at=1.0,
        data=b"",
        width=160,
        height=120,
        media_type="application/x-raw-bgr",
        region=Region(fd, 100, size),
    )


def test_a_hook_sees_the_memory_itself_and_may_draw_in_it(memory: int) -> None:
    frame = Frame(shared_frame(memory))
    assert np.array_equal(frame.image, BGR)

    frame.image[:] = 0

    assert os.pread(memory, BGR.nbytes, 100) == BGR.tobytes(), "the owner's memory was written"


def test_a_copy_outlives_the_memory(memory: int) -> None:
    copied = shared_frame(memory).copied()
    os.pwrite(memory, bytes(BGR.nbytes), 100)

    assert np.array_equal(Frame(copied).image, BGR)


def test_memory_that_was_cut_short_is_an_error_and_no_crash(memory: int) -> None:
    frame = shared_frame(memory)
    os.ftruncate(memory, 2000)

    with pytest.raises(FrameError, match="expected 57600 bytes of shared memory, got 1900"):
        _ = Frame(frame).image
    with pytest.raises(FrameError, match="cut short"):
        frame.copied()


def test_a_region_of_another_size_than_the_picture_is_an_error(memory: int) -> None:
    with pytest.raises(FrameError, match="expected 57600 bytes of 160x120 bgr, got 57000"):
        _ = Frame(shared_frame(memory, size=57000)).image


def test_a_region_outlives_whoever_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    path.write_bytes(b"abc")
    fd = os.open(path, os.O_RDONLY)
    region = Region(fd, 1, 2)
    os.close(fd)
    path.unlink()

    assert region.read() == b"bc"


@pytest.mark.filterwarnings("error")
def test_a_region_for_which_no_descriptor_is_left_ends_quietly() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        Region(-1, 0, 1)


def test_nobody_is_shown_what_lies_in_anothers_memory(memory: int) -> None:
    hub = Hub()
    hub.publish(shared_frame(memory))
    camera = hub.get("cam1")
    assert camera is not None

    assert camera.latest.peek() is None
    assert camera.pending.take() is not None
