"""What crosses to a hook and back besides a JPEG and plain values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.region import Region, SharedFrame
from receiver.result import Result
from receiver.ticket import Ticket
from shared import codec, pattern
from tests.receiver.bench import Bench

BGR = pattern.draw(9, 160, 120)
ISOLATIONS = pytest.mark.parametrize("isolation", ["process", "thread"])


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "memory"
    path.write_bytes(BGR.tobytes())
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def ask(bench: Bench, fd: int) -> Result:
    """Have the hook process the picture in that memory; return its result."""
    ticket = Ticket()
    frame = SharedFrame(
        camera="cam1",
        epoch="e",
        seq=1000 + bench.hub.number("cam1")[1],
        captured_at=1.0,
        data=b"",
        width=160,
        height=120,
        media_type="application/x-raw-bgr",
        region=Region(fd, 0, BGR.nbytes),
    )
    bench.hub.publish(frame, every=True, ticket=ticket)
    assert ticket.wait(30)
    assert ticket.result is not None
    return ticket.result


@ISOLATIONS
def test_a_picture_in_shared_memory_reaches_the_hook(
    bench: Bench, memory: int, isolation: str
) -> None:
    bench.write("""
        from shared import pattern
        def process(frame):
            number = pattern.read(frame.image).number
            frame.image[:] = 0
            return number, frame.image
    """)
    bench.start(isolation=isolation)

    results = [ask(bench, memory) for _ in range(3)]

    assert [result.value for result in results] == [9, 9, 9]
    for result in results:
        assert isinstance(result.frame, SharedFrame)
        assert result.frame.region.fileno() == -1, "the memory is its owner's again"
    shown = bench.camera().annotated.peek()
    assert shown is not None
    assert not isinstance(shown, SharedFrame)
    assert codec.decode(shown.data).max() == 0


@ISOLATIONS
def test_memory_cut_short_fails_its_frame_and_no_other(
    bench: Bench, memory: int, isolation: str
) -> None:
    bench.write("def process(frame):\n    return frame.image.shape")
    bench.start(isolation=isolation)
    os.ftruncate(memory, 100)

    result = ask(bench, memory)

    assert result.state == "failed"
    assert result.error is not None
    assert "cut short" in result.error
    assert bench.show().value == [120, 160, 3]
    assert bench.runner.status()[0].restarts == 0


@ISOLATIONS
def test_the_arrays_of_a_result_keep_their_type_and_shape(bench: Bench, isolation: str) -> None:
    bench.write("""
        import numpy as np
        def process(frame):
            return {
                "boxes": np.zeros((0, 4), np.float32),
                "scores": np.array([0.5, np.nan], np.float64),
                "count": np.int64(3),
                "list": [1, 2],
            }
    """)
    bench.start(isolation=isolation)

    result = bench.show()

    assert result.arrays == {"boxes": ("float32", (0, 4)), "scores": ("float64", (2,))}
    assert result.value == {"boxes": [], "scores": [0.5, None], "count": 3, "list": [1, 2]}
