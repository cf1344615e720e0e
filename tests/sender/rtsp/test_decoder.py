"""From packets to pictures: real streams, whole and with every kind of loss."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sender.picture import JpegPicture
from sender.rtsp.decoder import Codec, Decoded, Decoder
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.order import Order
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import AccessUnit
from tests.sender.rtsp.packing import (
    Encoded,
    cut_small,
    flat,
    grey,
    h264,
    h265,
    jpegs,
    muxed,
    nals,
    number_at,
    time_of,
    units_of,
)

BOTH = pytest.mark.parametrize("name", ["H264", "H265"])
#: A key picture every 6, and between them pictures that build upon one another.
GOP = 6


@dataclass(frozen=True)
class Shown:
    """A decoded picture: its number by its time and by its pixels."""

    number: int
    drawn: int | None
    is_corrupt: bool
    #: How many further units it took until it came.
    waited: int


def plain(
    name: str, *, frames: int = 24, size: tuple[int, int] = (160, 120)
) -> tuple[Encoded, ...]:
    """Return a stream without B-frames, of several packets a picture."""
    if name == "H264":
        return h264(f"keyint={GOP}", "bframes=0", frames=frames, size=size, options={"crf": "5"})
    return h265(
        f"keyint={GOP}", "bframes=0", "open-gop=0", frames=frames, size=size, options={"crf": "5"}
    )


def with_b_frames(name: str, *, frames: int = 24) -> tuple[Encoded, ...]:
    """Return a stream with three B-frames in a row and key pictures that others reach across."""
    common = ("keyint=12", "bframes=3", "b-adapt=0", "open-gop=1")
    return h264(*common, frames=frames) if name == "H264" else h265(*common, frames=frames)


def shown(decoded: Decoded, place: int) -> Shown:
    return Shown(
        number_at(decoded.timestamp),
        grey(decoded.picture.to_jpeg(90)),
        decoded.is_corrupt,
        # `arrived` is the place of the unit.
        place - int(decoded.arrived),
    )


def decode(decoder: Decoder, units: Iterable[AccessUnit]) -> list[Shown]:
    """Return the pictures of the units, each with the place of the unit that brought it."""
    return [shown(decoded, int(unit.arrived)) for unit in units for decoded in decoder.decode(unit)]


def play(name: Codec, packets: Iterable[RtpPacket]) -> list[Shown]:
    return decode(Decoder(name), units_of(name, packets))


def packets_of(name: str, pictures: Sequence[Encoded], **size: tuple[int, int]) -> list[RtpPacket]:
    return flat(muxed(name.lower().replace("jpeg", "mjpeg"), pictures, **size))


def numbers(pictures: Iterable[Shown]) -> list[int | None]:
    return [one.drawn for one in pictures]


@BOTH
@pytest.mark.parametrize("size", [(160, 120), (322, 182)])
def test_every_picture_comes_whole_and_with_its_own_unit(
    name: Codec, size: tuple[int, int]
) -> None:
    pictures = plain(name, frames=8, size=size)
    found = play(name, packets_of(name, pictures, size=size))

    assert found == [Shown(number, number, False, 0) for number in range(8)]


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "baseline"},
        {"profile": "main", "bf": "0"},
        {"profile": "high", "bf": "0"},
        {"tune": "zerolatency"},
        {"tune": "zerolatency", "profile": "high"},
    ],
    ids=lambda options: " ".join(options.values()),
)
@pytest.mark.parametrize("vui", [True, False], ids=["vui", "no vui"])
def test_h264_without_b_frames_waits_for_no_further_unit(
    options: dict[str, str], vui: bool
) -> None:
    pictures = h264(frames=10, options=options)
    if not vui:
        pictures = tuple(Encoded(without_vui(one.data), one.number) for one in pictures)
    found = play("H264", packets_of("H264", pictures))

    assert found == [Shown(number, number, False, 0) for number in range(10)]


def test_h265_without_delay_waits_for_no_further_unit() -> None:
    found = play("H265", packets_of("H265", h265(frames=10, options={"tune": "zerolatency"})))

    assert found == [Shown(number, number, False, 0) for number in range(10)]


@BOTH
def test_b_frames_come_in_the_order_in_which_they_are_seen(name: Codec) -> None:
    pictures = with_b_frames(name)
    assert [one.number for one in pictures] != sorted(one.number for one in pictures)
    found = play(name, packets_of(name, pictures))

    assert numbers(found) == [one.number for one in found] == list(range(len(found)))
    assert len(found) >= 18
    assert not any(one.is_corrupt for one in found)


def test_b_frames_that_no_parameter_set_speaks_of_come_in_order_too() -> None:
    pictures = [Encoded(without_vui(one.data), one.number) for one in with_b_frames("H264")]
    found = numbers(play("H264", packets_of("H264", pictures)))

    # The decoder has to learn how long pictures wait; while it does, one may be left out.
    assert found == sorted(number for number in found if number is not None)
    assert set(range(18)) - set(found) <= {1, 2, 3}


def test_a_b_frame_keeps_the_moment_when_it_came() -> None:
    pictures = with_b_frames("H264")
    decoder = Decoder("H264")
    came = {one.number: float(place) for place, one in enumerate(pictures)}
    decoded = [
        one
        for unit in units_of("H264", packets_of("H264", pictures))
        for one in decoder.decode(unit)
    ]

    assert len(decoded) > 12
    assert all(one.arrived == came[number_at(one.timestamp)] for one in decoded)


@BOTH
def test_parameter_sets_of_the_sdp_start_a_stream_that_has_none(name: Codec) -> None:
    pictures = plain(name)
    sets = [unit for unit in nals(pictures[0].data) if is_parameter_set(name, unit)]
    bare = [
        Encoded(
            b"".join(
                b"\0\0\0\1" + unit for unit in nals(one.data) if not is_parameter_set(name, unit)
            ),
            one.number,
        )
        for one in pictures
    ]
    units = units_of(name, packets_of(name, bare))

    assert not decode(Decoder(name), units)
    found = decode(Decoder(name, parameter_sets=sets), units)
    assert numbers(found) == list(range(24))
    assert not any(one.is_corrupt for one in found)


@BOTH
def test_parameter_sets_in_the_stream_win(name: Codec) -> None:
    other = nals(plain(name, frames=2, size=(322, 182))[0].data)
    sets = [unit for unit in other if is_parameter_set(name, unit)]
    units = units_of(name, packets_of(name, plain(name)))

    assert numbers(decode(Decoder(name, parameter_sets=sets), units)) == list(range(24))


@BOTH
@pytest.mark.parametrize("garbage", [b"\x67", b"\x42\x01", b"\x67garbage", b"\x42\x01garbage", b""])
def test_malformed_parameter_sets_of_the_sdp_spoil_nothing(name: Codec, garbage: bytes) -> None:
    units = units_of(name, packets_of(name, plain(name)))
    decoder = Decoder(name, parameter_sets=[garbage])

    assert numbers(decode(decoder, units)) == list(range(24))
    assert decoder.lost == 0


@BOTH
def test_the_size_may_change_in_mid_stream(name: Codec) -> None:
    small, large = plain(name, frames=6), plain(name, frames=6, size=(322, 182))
    decoder = Decoder(name)
    units = units_of(name, packets_of(name, small))
    units += units_of(name, packets_of(name, large, size=(322, 182)))
    decoded = [one for unit in units for one in decoder.decode(unit)]

    assert [one.picture.width for one in decoded] == [160] * 6 + [322] * 6
    assert [one.picture.height for one in decoded] == [120] * 6 + [182] * 6
    assert not any(one.is_corrupt for one in decoded)
    assert [grey(one.picture.to_jpeg(90)) for one in decoded] == [*range(6)] * 2


@BOTH
def test_a_picture_larger_than_anybody_takes_is_refused_before_it_costs_memory(
    name: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = units_of(name, packets_of(name, plain(name)))
    monkeypatch.setattr("sender.rtsp.decoder.MAX_PIXELS", 160 * 120 - 1)
    assert decode(Decoder(name), units) == []

    # FFmpeg counts rows of whole blocks of 64 pixels.
    monkeypatch.setattr("sender.rtsp.decoder.MAX_PIXELS", 192 * 128)
    assert len(decode(Decoder(name), units)) == 24


def sound_and_corrupt(found: list[Shown]) -> tuple[set[int], set[int]]:
    sound = {one.number for one in found if not one.is_corrupt}
    return sound, {one.number for one in found if one.is_corrupt}


@BOTH
@pytest.mark.parametrize("which", ["first", "middle", "last", "whole"])
@pytest.mark.parametrize("lossy", [GOP, GOP + 2, 2 * GOP - 1], ids=["key", "inside", "before key"])
def test_after_a_loss_pictures_are_marked_until_the_next_key_picture(
    name: Codec, which: str, lossy: int
) -> None:
    pictures = cut_small(name, plain(name))
    packets = pictures[lossy]
    assert len(packets) >= 5
    missing = {
        # The first of a key picture's holds its parameter sets alone, and those are known.
        "first": packets[:2],
        "middle": packets[2:3],
        "last": packets[-1:],
        "whole": packets,
    }[which]
    found = play(name, [one for one in flat(pictures) if one not in missing])

    sound, corrupt = sound_and_corrupt(found)
    spoilt = set(range(lossy, 2 * GOP))
    assert sound == set(range(24)) - spoilt
    assert corrupt <= spoilt
    assert all(one.drawn == one.number for one in found if not one.is_corrupt)


@BOTH
def test_a_marker_alone_that_is_missing_costs_nothing(name: Codec) -> None:
    packets = packets_of(name, plain(name))
    found = play(name, [replace(one, marker=False) for one in packets])

    assert numbers(found) == list(range(23))
    assert not any(one.is_corrupt for one in found)


def test_a_picture_that_the_camera_itself_left_out_is_noticed_by_the_decoder() -> None:
    pictures = plain("H265")
    found = play("H265", packets_of("H265", [*pictures[:8], *pictures[9:]]))

    assert sound_and_corrupt(found)[0] == set(range(24)) - {8, 9, 10, 11}


@BOTH
def test_b_frames_that_reach_back_across_the_key_picture_are_marked(name: Codec) -> None:
    pictures = muxed(name.lower(), with_b_frames(name, frames=36))
    # A picture that later ones build upon, in the first group.
    lossy = next(place for place, one in enumerate(pictures) if one[0].timestamp == time_of(4))
    found = play(name, flat(pictures[:lossy] + pictures[lossy + 1 :]))

    keys = sorted(
        number_at(unit.timestamp) for unit in units_of(name, flat(pictures)) if unit.is_key
    )
    sound, corrupt = sound_and_corrupt(found)
    # What comes between the loss and the key picture, in the order of coding and of showing.
    assert sound >= {0} | set(range(keys[1], 30))
    assert not sound & set(range(4, keys[1]))
    assert {keys[1] - 1, keys[1] - 2} <= corrupt
    assert all(one.drawn == one.number for one in found if not one.is_corrupt)


@BOTH
def test_a_stream_that_is_joined_in_the_middle_is_sound_from_the_key_picture_on(
    name: Codec,
) -> None:
    units = units_of(name, packets_of(name, plain(name)))
    found = decode(Decoder(name), units[2:])

    sound, corrupt = sound_and_corrupt(found)
    assert sound == set(range(GOP, 24))
    assert corrupt <= set(range(GOP))


def test_a_stream_that_is_refreshed_gradually_is_sound_when_that_is_done() -> None:
    pictures = h264("intra-refresh=1", "keyint=12", "bframes=0", frames=40)
    packets = muxed("h264", pictures)
    joined = play("H264", flat(packets[5:]))
    lossy = play("H264", flat(packets[:6] + packets[7:]))

    # The refresh that begins at 12 says that it takes 8 pictures.
    assert sound_and_corrupt(joined) == (set(range(20, 40)), set(range(12, 20)))
    assert sound_and_corrupt(lossy)[0] == {*range(6), *range(20, 40)}
    assert all(one.drawn == one.number for one in lossy if not one.is_corrupt)


def test_damage_that_only_the_decoder_sees_marks_what_builds_upon_it() -> None:
    units = units_of("H264", packets_of("H264", plain("H264")))
    half = replace(units[2], data=units[2].data[: len(units[2].data) // 2])
    found = decode(Decoder("H264"), [*units[:2], half, *units[3:]])

    sound, corrupt = sound_and_corrupt(found)
    assert corrupt == set(range(2, GOP))
    assert sound == set(range(24)) - corrupt


def test_what_does_not_decode_is_counted_and_the_next_key_picture_is_sound() -> None:
    units = units_of("H264", packets_of("H264", plain("H264")))
    decoder = Decoder("H264")
    garbage = AccessUnit(b"\xff" * 64, units[8].timestamp, False, False, 8.0)
    found = decode(decoder, [*units[:8], garbage, *units[9:]])

    assert decoder.lost == 1
    sound, corrupt = sound_and_corrupt(found)
    assert sound == set(range(24)) - set(range(8, 2 * GOP))
    assert corrupt == set(range(9, 2 * GOP))


@BOTH
def test_trouble_makes_no_noise(name: Codec, capfd: pytest.CaptureFixture[str]) -> None:
    packets = flat(cut_small(name, plain(name)))
    play(name, [one for place, one in enumerate(packets) if place % 7])
    Decoder(name, parameter_sets=[b"\x67", b"\x42\x01"]).decode(
        AccessUnit(b"\xff" * 64, 0, False, False, 0.0)
    )

    assert capfd.readouterr() == ("", "")


def test_a_unit_of_which_nothing_is_left_is_a_lost_picture() -> None:
    for name in get_args(Codec):
        decoder = Decoder(name)

        assert decoder.decode(AccessUnit(b"", 0, False, True, 0.0)) == []
        assert decoder.lost == 1


def test_disorder_within_the_depth_is_invisible() -> None:
    packets = packets_of("H264", plain("H264"))
    order, depacketiser, decoder = Order(), make_depacketiser("H264", {}), Decoder("H264")
    swapped = packets[:1] + [
        one for pair in zip(packets[2::2], packets[1::2], strict=False) for one in pair
    ]
    units = [
        unit
        for one in swapped
        for ordered, gap in order.put(one)
        for unit in depacketiser.put(ordered, gap=gap)
    ]

    assert units == units_of("H264", packets)[: len(units)]
    assert len(decode(decoder, units)) >= 23


def test_a_cameras_jpeg_passes_through_untouched() -> None:
    pictures = jpegs(frames=3)
    units = units_of("JPEG", packets_of("JPEG", pictures, size=(320, 240)))
    decoder = Decoder("JPEG")
    decoded = [one for unit in units for one in decoder.decode(unit)]

    assert all(isinstance(one.picture, JpegPicture) for one in decoded)
    assert [one.picture.to_jpeg(1) for one in decoded] == [unit.data for unit in units]
    assert [number_at(one.timestamp) for one in decoded] == [0, 1, 2]
    assert [one.arrived for one in decoded] == [0.0, 1.0, 2.0]
    assert not any(one.is_corrupt for one in decoded)


def test_a_jpeg_that_is_none_is_lost() -> None:
    decoder = Decoder("JPEG")

    assert decoder.decode(AccessUnit(b"\xff\xd8\xff\xd9", 0, True, False, 0.0)) == []
    assert decoder.lost == 1


def test_a_decoder_may_be_closed_twice() -> None:
    for name in get_args(Codec):
        decoder = Decoder(name)
        decoder.close()
        decoder.close()


@BOTH
@settings(max_examples=25, deadline=None)
@given(
    drops=st.sets(st.integers(0, 200), max_size=12),
    flips=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 99), st.integers(1, 255))),
)
def test_whatever_the_network_does_nothing_is_raised(
    name: Codec, drops: set[int], flips: list[tuple[int, int, int]]
) -> None:
    packets = flat(cut_small(name, plain(name, frames=12)))
    broken = {place: bytearray(one.payload) for place, one in enumerate(packets)}
    for place, at, bits in flips:
        # Not the packet's own kind: that may be unreadable.
        if place in broken and 2 < at < len(broken[place]):
            broken[place][at] ^= bits
    sent = [
        replace(one, payload=bytes(broken[place]))
        for place, one in enumerate(packets)
        if place not in drops
    ]
    found = play(name, sent)

    assert len(found) <= 12
    if not flips:
        assert all(one.drawn == one.number for one in found if not one.is_corrupt)


def is_parameter_set(name: str, unit: bytes) -> bool:
    if name == "H264":
        return unit[0] & 0x1F in (7, 8)
    return unit[0] >> 1 & 0x3F in (32, 33, 34)


class _Bits:
    """Reads a bit string (H.264, 7.2 and 9.1)."""

    def __init__(self, data: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def skip(self, count: int) -> None:
        self.at += count

    def flag(self) -> bool:
        self.at += 1
        return self.bits[self.at - 1] == "1"

    def number(self) -> int:
        """Read an Exp-Golomb number."""
        zeros = self.bits.index("1", self.at) - self.at
        start, self.at = self.at + zeros, self.at + 2 * zeros + 1
        return int(self.bits[start : self.at], 2) - 1


def without_vui(data: bytes) -> bytes:
    """Return an H.264 stream whose sequence parameter sets end before their VUI (7.3.2.1.1)."""
    return b"".join(
        b"\0\0\0\1" + (_cut(unit) if unit[0] & 0x1F == 7 else unit) for unit in nals(data)
    )


def _cut(sps: bytes) -> bytes:
    read = _Bits(sps.replace(b"\0\0\3", b"\0\0"))
    profile = sps[1]
    read.skip(32)
    read.number()
    if profile == 100:  # high: chroma_format_idc and bit depths; no scaling matrix
        assert read.number() == 1
        assert read.number() == read.number() == 0
        read.skip(1)
        assert not read.flag()
    read.number()
    order = read.number()
    if order == 0:
        read.number()
    assert order in (0, 2)
    read.number()
    read.skip(1)
    read.number()
    read.number()
    assert read.flag()  # frames only
    read.skip(1)
    if read.flag():
        for _ in range(4):
            read.number()
    bits = read.bits[: read.at] + "01"
    bits += "0" * (-len(bits) % 8)
    raw = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", raw)
