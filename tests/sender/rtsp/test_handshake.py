"""From a fresh connection to a camera that plays, or to a sentence that says why not."""

from __future__ import annotations

import pytest

from sender.rtsp import conversation
from tests.sender.rtsp.scripted import (
    SDP,
    Asked,
    ScriptedCamera,
    Wire,
    failure,
    interleaved,
    opened,
    packet,
    playing,
    refusing,
    rtp,
    session,
    unusual,
)


def test_the_requests_are_what_cameras_expect() -> None:
    with ScriptedCamera() as camera:
        url = camera.url.replace("rtsp://", "rtsp://admin:secret@") + " ü?a=b"
        with opened(url) as made:
            assert made.clock.unix(0) is None
        sent = [(asked.method, asked.url) for asked in camera.asked]

    bare = camera.url + "%20%C3%BC?a=b"
    assert sent == [
        ("OPTIONS", bare),
        ("DESCRIBE", bare),
        ("SETUP", bare + "/track"),
        ("PLAY", bare),
        ("TEARDOWN", bare),
    ]
    assert [asked.headers["cseq"] for asked in camera.asked] == ["1", "2", "3", "4", "5"]
    assert all(asked.headers["user-agent"] == "framepost" for asked in camera.asked)
    assert camera.asked[1].headers["accept"] == "application/sdp"
    assert camera.asked[2].headers["transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert [asked.headers.get("session") for asked in camera.asked] == [None] * 3 + ["abc"] * 2
    assert not any("authorization" in asked.headers for asked in camera.asked)


def test_what_the_server_says_of_urls_channels_and_session_is_heeded() -> None:
    def describe(wire: Wire, asked: Asked) -> None:
        wire.reply(asked, "200 OK", "Content-Base: rtsp://cam/base/", body=SDP)

    def set_up(wire: Wire, asked: Asked) -> None:
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=4-5"
        wire.reply(asked, "200 OK", "Session: xyz ;timeout=30", transport)

    media = interleaved(rtp(1), 0) + interleaved(rtp(2), 4)
    on = {"DESCRIBE": describe, "SETUP": set_up, "PLAY": playing(media)}
    with ScriptedCamera(on) as camera, opened(camera.url) as made:
        assert packet(made).seq == 2

    assert camera.wait_for("SETUP").url == "rtsp://cam/base/track"
    assert camera.wait_for("PLAY").url == "rtsp://cam/base/"
    assert camera.wait_for("PLAY").headers["session"] == "xyz"


def test_an_options_that_is_refused_is_no_reason_to_end() -> None:
    with ScriptedCamera({"OPTIONS": refusing("501 Not Implemented")}) as camera, opened(camera.url):
        pass

    assert "PLAY" in camera.methods()


def test_packets_that_come_before_the_answer_are_kept_in_order() -> None:
    def play(wire: Wire, asked: Asked) -> None:
        wire.send(interleaved(rtp(1)), interleaved(rtp(2)))
        wire.reply(asked)
        wire.send(interleaved(rtp(3)))

    with ScriptedCamera({"PLAY": play}) as camera, opened(camera.url) as made:
        assert [packet(made).seq for _ in range(3)] == [1, 2, 3]


def test_early_packets_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_EARLY_BYTES", 26)
    monkeypatch.setattr(conversation, "EARLY_PACKET_BYTES", 0)

    def play(wire: Wire, asked: Asked) -> None:
        wire.send(*[interleaved(rtp(number)) for number in range(10)])
        wire.reply(asked)
        wire.send(interleaved(rtp(10)))

    with ScriptedCamera({"PLAY": play}) as camera, opened(camera.url) as made:
        assert [packet(made).seq for _ in range(3)] == [0, 1, 10]


def test_early_packets_without_a_byte_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_EARLY_BYTES", 3 * conversation.EARLY_PACKET_BYTES)

    def play(wire: Wire, asked: Asked) -> None:
        wire.send(interleaved(b"") * 1000)
        wire.reply(asked)

    with ScriptedCamera({"PLAY": play}) as camera, opened(camera.url) as made:
        assert made._flow is not None
        assert len(made._flow._items) == 3


def test_replies_to_something_else_are_left_out() -> None:
    def describe(wire: Wire, asked: Asked) -> None:
        wire.send(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n")
        wire.send(b"RTSP/1.0 100 Continue\r\nCSeq: 2\r\n\r\n")
        wire.send(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SDP) + SDP)

    with ScriptedCamera({"DESCRIBE": describe}) as camera, opened(camera.url):
        pass


@pytest.mark.parametrize(
    ("method", "status", "reason", "sentence"),
    [
        ("DESCRIBE", "403 Forbidden", "auth", "the server forbids it (403)"),
        ("DESCRIBE", "404 Not Found", "not_found", "the server has nothing under this path (404)"),
        (
            "DESCRIBE",
            "400 Bad Request",
            "format",
            "the server did not take the request (400 Bad Request)",
        ),
        (
            "DESCRIBE",
            "503",
            "refused",
            "the server is overloaded or broken and said so (503)",
        ),
        ("SETUP", "461 No", "format", "the server does not send it over TCP (461)"),
        ("SETUP", "453 No", "format", "the server has no bandwidth left for it (453)"),
        (
            "PLAY",
            "500 Oops",
            "refused",
            "the server is overloaded or broken and said so (500 Oops)",
        ),
    ],
)
def test_a_refusal_is_one_sentence(method: str, status: str, reason: str, sentence: str) -> None:
    with ScriptedCamera({method: refusing(status)}) as camera:
        error = failure(session(camera.url))

    assert (error.reason, str(error)) == (reason, f"{camera.url}: {sentence}")


@pytest.mark.parametrize(
    ("method", "status", "sentence"),
    [
        ("DESCRIBE", "302 Moved", "the server did not take DESCRIBE (302 Moved)"),
        ("DESCRIBE", "551 Option", "the server did not take DESCRIBE (551 Option)"),
        ("SETUP", "404 Not Found", "the server did not take SETUP (404 Not Found)"),
        ("PLAY", "455 No", "the server did not take PLAY (455 No)"),
    ],
)
def test_what_ffmpeg_may_do_better_is_left_to_it(method: str, status: str, sentence: str) -> None:
    location = "Location: rtsp://127.0.0.1:1/elsewhere"
    with ScriptedCamera({method: refusing(status, location)}) as camera:
        assert unusual(session(camera.url)) == f"{camera.url}: {sentence}"


@pytest.mark.parametrize(
    ("transport", "chosen"),
    [
        ("tcp", "RTP/AVP;unicast;client_port=0-1;server_port=4-5"),
        ("tcp", "RTP/AVP/TCP;multicast;interleaved=0-1"),
        ("udp", "RTP/AVP/TCP;unicast;interleaved=0-1"),
        ("udp", "RTP/SAVP;unicast"),
    ],
)
def test_a_way_that_was_not_asked_for_is_left_to_ffmpeg(transport: str, chosen: str) -> None:
    on = {"SETUP": refusing("200 OK", f"Transport: {chosen}", "Session: x")}
    with ScriptedCamera(on) as camera:
        said = unusual(session(camera.url, transport=transport))

    assert f"it chose '{chosen}"[:40] in said


def test_a_codec_that_we_do_not_read_is_left_to_ffmpeg() -> None:
    with ScriptedCamera(sdp=SDP.replace(b"H264", b"VP8")) as camera:
        said = unusual(session(camera.url))

    assert said == f"{camera.url}: its video is 'VP8', not one of H264, H265, JPEG"


@pytest.mark.parametrize("sdp", [b"", b"v=0\r\nm=audio 0 RTP/AVP 0\r\n"])
def test_a_description_without_video_is_said(sdp: bytes) -> None:
    with ScriptedCamera(sdp=sdp) as camera:
        error = failure(session(camera.url))

    assert (error.reason, str(error)) == ("format", f"{camera.url}: there is no video in it")


def test_a_web_server_is_said() -> None:
    def answer(wire: Wire, asked: Asked) -> None:
        wire.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with ScriptedCamera({"OPTIONS": answer}) as camera:
        error = failure(session(camera.url))

    assert error.reason == "format"
    assert str(error) == (
        f"{camera.url}: expected a line such as 'RTSP/1.0 200 OK', got 'HTTP/1.1 400 Bad Request'"
    )


def test_another_kind_of_server_is_said() -> None:
    def answer(wire: Wire, asked: Asked) -> None:
        wire.send(b"220 mail.example ESMTP\r\n" + b"x" * 70_000)

    with ScriptedCamera({"OPTIONS": answer}) as camera:
        error = failure(session(camera.url))

    assert error.reason == "format"
    assert str(error) == f"{camera.url}: 65536 bytes came that are no RTSP and no RTP"
