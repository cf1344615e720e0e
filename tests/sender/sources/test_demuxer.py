"""What FFmpeg says of damage, and what it does not."""

from __future__ import annotations

from pathlib import Path

import av

from sender.sources.demuxer import Demuxer, Timed
from sender.sources.interrupt import Interrupt
from shared import codec, pattern
from tests.sender.sources.conftest import MakeVideo

_GOP = 10
#: Bytes of a packet of MPEG-TS, and of its head at most.
_PACKET, _HEAD = 188, 40


def pictures_of(path: Path) -> list[Timed]:
    demuxer = Demuxer("film", Interrupt(), open_timeout=30.0, read_timeout=30.0)
    demuxer.open(str(path))
    found = []
    while (timed := demuxer.read()) is not None:
        found.append(timed)
    demuxer.close()
    return found


def damage(path: Path, number: int) -> None:
    """Change picture `number` of a film in MPEG-TS, so that it is a picture all the same."""
    with av.open(str(path)) as container:
        places = [packet.pos or 0 for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for at in range(places[number] + _PACKET // 2, places[number + 1], 5):
        if at % _PACKET > _HEAD:
            content[at] ^= 0x5A
    path.write_bytes(content)


def number(timed: Timed) -> int | None:
    mark = pattern.read(codec.decode(timed.shot.picture.to_jpeg(90)))
    return None if mark is None else mark.number


def test_what_builds_upon_a_damaged_picture_is_damaged_up_to_the_next_key_frame(
    make_video: MakeVideo,
) -> None:
    path = make_video("a.ts", frames=4 * _GOP, options={"g": str(_GOP), "bf": "0"})
    damage(path, 13)

    found = pictures_of(path)

    corrupt = [place for place, timed in enumerate(found) if timed.shot.corrupt]
    sound = [number(timed) for timed in found if not timed.shot.corrupt]
    assert corrupt == list(range(13, 20))
    assert sound == [*range(13), *range(20, 40)]
