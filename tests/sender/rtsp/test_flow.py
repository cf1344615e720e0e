"""What comes while a camera plays."""

from __future__ import annotations

import pytest

from sender.rtsp import flow
from sender.rtsp.session import Session
from tests.sender.rtsp.scripted import (
    ScriptedCamera,
    bye,
    failure,
    interleaved,
    opened,
    packet,
    playing,
    rtp,
    sender_report,
    session,
)


def test_garbage_between_packets_costs_only_itself() -> None:
    media = interleaved(rtp(1)) + b"garbage" + interleaved(rtp(2)) + interleaved(rtp(3))
    with ScriptedCamera({"PLAY": playing(media)}) as camera, opened(camera.url) as made:
        assert [packet(made).seq for _ in range(3)] == [1, 2, 3]


def test_garbage_without_end_ends_it() -> None:
    with ScriptedCamera({"PLAY": playing(b"x" * 70_000)}) as camera:
        made = session(camera.url)
        made.open()
        error = failure(made, Session.receive)

    assert error.reason == "format"


def test_another_sender_takes_over() -> None:
    reports = interleaved(sender_report(1e9, 0), 1)
    media = reports + interleaved(rtp(1)) + interleaved(rtp(2, ssrc=8))
    with ScriptedCamera({"PLAY": playing(media)}) as camera, opened(camera.url) as made:
        assert packet(made).ssrc == 7
        assert made.clock.unix(90_000) == pytest.approx(1e9 + 1)
        assert packet(made).ssrc == 8
        assert made.clock.unix(90_000) is None


def test_packets_of_another_kind_alone_end_it_before_the_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow, "_STRANGE_AFTER", 0.05)
    others = [interleaved(rtp(number, payload_type=26)) for number in range(2, 30)]
    with ScriptedCamera({"PLAY": playing(interleaved(rtp(1)), *others)}) as camera:
        made = session(camera.url, read_timeout=60)
        made.open()
        packet(made)
        error = failure(made, Session.receive)

    assert error.reason == "format"
    assert "something else now" in str(error)


def test_reports_of_others_do_not_set_the_clock() -> None:
    other = interleaved(sender_report(1e9, 0, ssrc=99), 1)
    media = interleaved(rtp(1)) + other + interleaved(rtp(2))
    with ScriptedCamera({"PLAY": playing(media)}) as camera, opened(camera.url) as made:
        packet(made), packet(made)
        assert made.clock.unix(0) is None


def test_a_goodbye_ends_it_after_what_came_before() -> None:
    media = [rtp(1), bye(99), rtp(2)]
    pieces = [interleaved(media[0]), interleaved(media[1], 1), interleaved(media[2])]
    with ScriptedCamera({"PLAY": playing(*pieces, interleaved(bye(), 1))}) as camera:
        made = session(camera.url)
        made.open()
        assert [packet(made).seq for _ in range(2)] == [1, 2]
        error = failure(made, Session.receive)

    assert (error.reason, str(error)) == ("ended", f"{camera.url}: the camera said goodbye")


def test_what_the_server_asks_is_answered() -> None:
    asked = (
        b"OPTIONS * RTSP/1.0\r\nCSeq: 70\r\n\r\n"
        b"ANNOUNCE rtsp://c RTSP/1.0\r\nCSeq: 71\r\nContent-Length: 3\r\n\r\nv=0"
        b"GET_PARAMETER * RTSP/1.0\r\nCSeq: 72\r\nRequire: magic\r\n\r\n"
    )
    media = asked + interleaved(rtp(1))
    with ScriptedCamera({"PLAY": playing(media)}) as camera, opened(camera.url) as made:
        assert packet(made).seq == 1
        camera.wait_for("RTSP/1.0", 3)

    answers = [each for each in camera.asked if each.method == "RTSP/1.0"]
    assert [(each.url, each.headers["cseq"]) for each in answers] == [
        ("200", "70"),
        ("501", "71"),
        ("551", "72"),
    ]
    assert answers[0].headers["public"] == "GET_PARAMETER, OPTIONS, TEARDOWN"
    assert answers[2].headers["unsupported"] == "magic"


def test_a_server_may_end_the_session() -> None:
    asked = b"TEARDOWN rtsp://c RTSP/1.0\r\nCSeq: 70\r\n\r\n"
    with ScriptedCamera({"PLAY": playing(interleaved(rtp(1)) + asked)}) as camera:
        made = session(camera.url)
        made.open()
        packet(made)
        error = failure(made, Session.receive)
        assert camera.wait_for("RTSP/1.0").url == "200"

    assert (error.reason, str(error)) == ("ended", f"{camera.url}: the server ended the session")
