"""The .mkv, as FFmpeg's demuxer, decoder and seeking see it."""

from __future__ import annotations

import resource
import shutil
import subprocess
from pathlib import Path

import av
import pytest

from receiver.recording.matroska import Matroska
from shared import codec, pattern
from tests.conftest import missing
from tests.receiver.recording.conftest import pictures

JPEGS = [codec.encode(pattern.draw(number, 160, 120), 80) for number in range(60)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.mkv"


def begin(path: Path) -> Matroska:
    return Matroska(path, width=160, height=120, title="cam1", started=1_790_000_000.25)


def write(path: Path, *, count: int = 60, every: int = 100, close: bool = True) -> list[int]:
    """Write pictures `every` milliseconds; return their offsets."""
    video = begin(path)
    offsets = [video.write(JPEGS[n % 60], n * every) for n in range(count)]
    if close:
        video.close()
    else:
        shutil.copy(path, path.with_name("copy"))
        video.close()
        path.with_name("copy").replace(path)
    return offsets


def decoded(path: Path) -> int:
    """Return how many pictures ffmpeg decodes without a word of complaint."""
    if shutil.which("ffmpeg") is None:
        missing("ffmpeg", "apt-get install ffmpeg")
    line = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "framecrc", "-"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert not done.stderr
    return sum(1 for row in done.stdout.splitlines() if not row.startswith("#"))


def test_the_jpegs_are_the_bytes_that_came_at_their_times(path: Path) -> None:
    offsets = write(path)

    assert pictures(path) == [(n * 100, jpeg) for n, jpeg in enumerate(JPEGS)]
    data = path.read_bytes()
    assert [data[at : at + len(JPEGS[n])] for n, at in enumerate(offsets)] == JPEGS


def test_ffmpeg_decodes_every_picture(path: Path) -> None:
    write(path)

    assert decoded(path) == 60


def test_a_player_knows_the_length_the_start_and_the_title_at_once(path: Path) -> None:
    write(path)

    with av.open(str(path)) as container:
        assert container.duration == 6_000_000
        assert container.metadata["title"] == "cam1"
        assert container.metadata["creation_time"] == "2026-09-21T14:13:20.250000Z"
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("mjpeg", 160, 120)


def test_a_player_finds_a_place_by_the_index(path: Path) -> None:
    write(path, count=600)

    with av.open(str(path)) as container:
        container.seek(42_500_000)
        packet = next(container.demux(video=0))
        found = pattern.read(codec.decode(bytes(packet)))
        assert found is not None
        # The pictures repeat after 60; the index has a place each second.
        assert (int(packet.pts or 0), found.number) == (42_000, 420 % 60)


def test_gaps_of_hours_keep_their_times(path: Path) -> None:
    video = begin(path)
    times = [0, 1, 999, 1000, 40_000, 86_400_000, 86_400_001]
    for at in times:
        video.write(JPEGS[0], at)
    video.close()

    assert [at for at, _ in pictures(path)] == times


def test_a_file_that_nobody_closed_plays_to_its_end(path: Path) -> None:
    write(path, close=False)

    assert [jpeg for _, jpeg in pictures(path)] == JPEGS
    assert decoded(path) == 60


@pytest.mark.parametrize("close", [True, False], ids=["closed", "not closed"])
def test_a_file_cut_anywhere_plays_to_its_last_whole_picture(path: Path, *, close: bool) -> None:
    offsets = write(path, count=15, close=close)
    data = path.read_bytes()
    ends = [at + len(JPEGS[n]) for n, at in enumerate(offsets)]
    # Around every picture's edges, and through the whole of one.
    cuts = {at + n for at in (*offsets, *ends) for n in range(-12, 3)}
    cuts |= set(range(offsets[7], ends[7], 61))

    for cut in sorted(cut for cut in cuts if offsets[0] <= cut <= ends[-1]):
        path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        found = [jpeg for _, jpeg in pictures(path)] if whole else []
        assert found[:whole] == JPEGS[:whole], cut
        assert len(found) <= whole + 1  # FFmpeg gives the torn one too


def test_no_file_is_written_over(path: Path) -> None:
    write(path, count=1)
    before = path.read_bytes()

    with pytest.raises(FileExistsError):
        begin(path)

    assert path.read_bytes() == before


def test_a_write_that_is_refused_half_way_leaves_whole_pictures(path: Path) -> None:
    video = begin(path)
    for n in range(5):
        video.write(JPEGS[n], n * 100)
    size = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            video.write(JPEGS[5], 500)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert path.stat().st_size == size
    video.write(JPEGS[6], 600)
    video.close()
    assert [jpeg for _, jpeg in pictures(path)] == [*JPEGS[:5], JPEGS[6]]


def test_only_what_is_not_over_has_an_unknown_size(path: Path) -> None:
    unknown = b"\x01" + b"\xff" * 7
    write(path, close=False)
    assert path.read_bytes().count(unknown) == 2  # the whole, and its last cluster

    path.unlink()
    write(path)
    assert unknown not in path.read_bytes()
