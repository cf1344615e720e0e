"""Descriptions, as cameras write them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera import sdp as camera_sdp
from sender.rtsp.message import Unusual
from sender.rtsp.sdp import Description, VideoTrack, base_of, join

BASE = "rtsp://cam/live"
SPS, PPS = b"\x67\x42\x00\x1e\x96", b"\x68\xce\x3c\x80"


def video(*attributes: str, media: str = "video 0 RTP/AVP 96", base: str = BASE) -> VideoTrack:
    lines = ["v=0", "s=x", "m=audio 0 RTP/AVP 0", "a=control:trackID=9", f"m={media}"]
    description = Description.parse("\r\n".join([*lines, *attributes]), base=base)
    assert description is not None
    return description.video


def b64(unit: bytes) -> str:
    return base64.b64encode(unit).decode()


def test_a_track_is_read() -> None:
    sets = f"{b64(SPS)},{b64(PPS)}"
    track = video(
        "a=rtpmap:96 h264/90000",
        f"a=fmtp:96 Packetization-Mode=1; profile-level-id=42001E;sprop-parameter-sets={sets}",
        "a=framerate:12.5",
        "a=control:trackID=1",
    )

    assert track == VideoTrack(
        codec="H264",
        payload_type=96,
        clock_rate=90_000,
        parameters={
            "packetization-mode": "1",
            "profile-level-id": "42001E",
            "sprop-parameter-sets": sets,
        },
        parameter_sets=(SPS, PPS),
        control="rtsp://cam/live/trackID=1",
        fps=12.5,
    )


@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
def test_what_the_simulated_camera_says_is_read(codec: str) -> None:
    vps, sps, pps = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc0"
    units = {"h264": (SPS, PPS), "h265": (vps, sps, pps), "mjpeg": ()}[codec]
    annex_b = b"".join(b"\0\0\0\1" + unit for unit in units)
    text = camera_sdp.describe(codec, annex_b, host="::1", fps=25)

    description = Description.parse(text, base="rtsp://[::1]/x/")

    assert description is not None
    assert description.video.parameter_sets == units
    assert description.video.codec == {"h264": "H264", "h265": "H265", "mjpeg": "JPEG"}[codec]
    assert description.video.fps == 25
    assert description.video.control == "rtsp://[::1]/x/trackID=0"
    assert description.aggregate == "rtsp://[::1]/x/"


def test_motion_jpeg_needs_no_rtpmap() -> None:
    track = video(media="video 0 RTP/AVP 26")

    assert (track.codec, track.payload_type, track.clock_rate) == ("JPEG", 26, 90_000)
    assert track.fps is None


def test_the_first_payload_type_that_we_read_is_taken() -> None:
    track = video(
        "a=rtpmap:97 MP4V-ES/90000",
        "a=rtpmap:98 H265/90000/1",
        "a=fmtp:97 sprop-vps=AAAA",
        "a=rtpmap:99 H264/90000",
        media="video 0 RTP/AVP 97 98 99",
    )

    assert (track.codec, track.payload_type, track.parameters) == ("H265", 98, {})


def test_malformed_parameter_sets_are_left_out() -> None:
    unpadded = b64(SPS).rstrip("=")
    prefixed = b64(b"\0\0\0\1" + PPS)
    other = b64(b"\x65\x88\x84")
    sets = f"!!!,{unpadded},,A,{other},ü, {prefixed}"

    track = video("a=rtpmap:96 H264/90000", f"a=fmtp:96 sprop-parameter-sets={sets}")

    assert track.parameter_sets == (SPS, PPS)


@pytest.mark.parametrize("rate", ["0", "", "-1", "nan", "1e9", "12345", "25 fps", "inf"])
def test_a_rate_that_makes_no_sense_is_none(rate: str) -> None:
    assert video("a=rtpmap:96 H264/90000", f"a=framerate:{rate}").fps is None


@pytest.mark.parametrize("text", ["", "v=0", "m=audio 0 RTP/AVP 0", "m=application 0 RTP/AVP 107"])
def test_without_video_there_is_none(text: str) -> None:
    assert Description.parse(text, base=BASE) is None


@pytest.mark.parametrize(
    ("media", "attribute", "said"),
    [
        ("video 0 RTP/AVP 96", "a=rtpmap:96 MP4V-ES/90000", "its video is 'MP4V-ES', not one of"),
        ("video 0 RTP/AVP 96", "a=rtpmap:96 H264/0", "its video is 'H264'"),
        ("video 0 RTP/AVP 96", "a=rtpmap:97 H264/90000", "its video is 'H264'"),
        ("video 0 RTP/AVP 33", "", "its video is 'unnamed'"),
        ("video 0 RTP/AVP", "a=rtpmap:96 H264/90000", "its video is 'H264'"),
        ("video 0 RTP/SAVP 96", "a=rtpmap:96 H264/90000", "as 'RTP/SAVP', not as RTP/AVP"),
        ("video", "", "comes as ''"),
    ],
)
def test_what_we_do_not_take_apart_is_left_to_ffmpeg(media: str, attribute: str, said: str) -> None:
    with pytest.raises(Unusual, match=said):
        video(attribute, media=media)


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        (BASE, "", BASE),
        (BASE, "*", BASE),
        (BASE, "trackID=1", "rtsp://cam/live/trackID=1"),
        (BASE + "/", "trackID=1", "rtsp://cam/live/trackID=1"),
        (BASE + "/", "/trackID=1", "rtsp://cam/live/trackID=1"),
        (BASE + "?a=b&c", "trackID=1", "rtsp://cam/live?a=b&c/trackID=1"),
        (BASE + "?a=b/", "trackID=1", "rtsp://cam/live?a=b/trackID=1"),
        (BASE, "?ctype=video", "rtsp://cam/live?ctype=video"),
        (BASE, "rtsp://10.0.0.7:554/x/track1", "rtsp://10.0.0.7:554/x/track1"),
        (BASE, "RTSP://u:p@ss@10.0.0.7/x", "RTSP://10.0.0.7/x"),
        (BASE, "rtsp://10.0.0.7/x@2", "rtsp://10.0.0.7/x@2"),
        (BASE, "track 1\x01", "rtsp://cam/live/track%201%01"),
    ],
)
def test_a_control_url_is_made_absolute(base: str, control: str, url: str) -> None:
    assert join(base, control) == url


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        (("", ""), BASE),
        (("rtsp://cam/a/", "rtsp://cam/b/"), "rtsp://cam/a/"),
        (("", "rtsp://cam/b/"), "rtsp://cam/b/"),
        (("/a/", ""), "rtsp://cam/a/"),
        (("nonsense", "rtsp://cam/b/"), "rtsp://cam/b/"),
        (("rtsp://u:p@cam/a/", ""), "rtsp://cam/a/"),
    ],
)
def test_the_base_is_what_the_server_says_it_is(headers: tuple[str, str], base: str) -> None:
    assert base_of(BASE, headers) == base


def test_the_session_has_a_control_url_of_its_own() -> None:
    text = "a=control:rtsp://cam/all\nm=video 0 RTP/AVP 26\na=control:one"

    description = Description.parse(text, base=BASE)

    assert description is not None
    assert description.aggregate == "rtsp://cam/all"
    assert description.video.control == "rtsp://cam/all/one"


LINES = st.sampled_from(
    ["v=0", "m=video 0 RTP/AVP 96", "m=video 0 RTP/AVP 26", "m=", "a=rtpmap:96 H264/90000", "a=",
     "a=rtpmap:96 H265/1", "a=fmtp:96 sprop-vps=QAE=;=;;x", "a=fmtp:96 sprop-parameter-sets=Z0I,",
     "a=control:", "a=framerate:1", "a=rtpmap:", "a=fmtp:96"]
)  # fmt: skip


@given(st.text(max_size=300) | st.lists(LINES | st.text(max_size=30)).map("\r\n".join))
def test_any_text_is_read_or_left_to_ffmpeg(text: str) -> None:
    try:
        description = Description.parse(text, base=BASE)
    except Unusual:
        return
    if description is not None:
        assert description.video.clock_rate > 0
        assert all(description.video.parameter_sets)
        assert description.video.control.isascii()
        assert " " not in description.video.control
