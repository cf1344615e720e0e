"""Signs of life, and reports."""

from __future__ import annotations

import struct
import time
from typing import cast

import pytest

from sender.rtsp import upkeep
from sender.rtsp.conversation import Conversation
from sender.rtsp.line import Line
from sender.rtsp.login import Login
from sender.rtsp.session import Session
from tests.sender.rtsp.scripted import (
    Asked,
    ScriptedCamera,
    Wire,
    failure,
    guarded,
    interleaved,
    opened,
    playing,
    receiving,
    refusing,
    rtp,
    sender_report,
    session,
    with_login,
)


@pytest.mark.parametrize(("public", "sign"), [("GET_PARAMETER", "GET_PARAMETER"), ("x", "OPTIONS")])
def test_signs_of_life_are_sent_in_time(public: str, sign: str) -> None:
    on = {"OPTIONS": refusing("200 OK", f"Public: DESCRIBE, {public}")}
    with ScriptedCamera(on, session="abc;timeout=3") as camera, opened(camera.url) as made:
        start = time.monotonic()
        with receiving(made):
            asked = camera.wait_for(sign, 1 if public == sign else 2)
        took = time.monotonic() - start

    assert 0.9 < took < 3.0
    assert asked.headers["session"] == "abc"
    assert asked.url == camera.url


def test_a_sign_of_life_that_is_refused_is_given_in_another_form() -> None:
    def refuse(wire: Wire, asked: Asked) -> None:
        # Some cameras get the number of a refusal wrong.
        wire.send(b"RTSP/1.0 400 Bad Request\r\nCSeq: 1\r\n\r\n")

    with (
        ScriptedCamera({"GET_PARAMETER": refuse}, session="abc;timeout=1") as camera,
        opened(camera.url) as made,
        receiving(made) as errors,
    ):
        camera.wait_for("OPTIONS", 2)
        assert not errors


def test_a_sign_of_life_is_sent_again_with_a_new_nonce() -> None:
    def check(wire: Wire, asked: Asked) -> None:
        if 'nonce="2"' in asked.headers.get("authorization", ""):
            wire.reply(asked)
        else:
            wire.reply(asked, "401 No", 'WWW-Authenticate: Digest nonce="2", stale=true')

    on = {**guarded('Digest nonce="1"', session="abc;timeout=1"), "GET_PARAMETER": check}
    with (
        ScriptedCamera(on) as camera,
        opened(with_login(camera.url)) as made,
        receiving(made) as errors,
    ):
        camera.wait_for("GET_PARAMETER", 2)
        assert not errors

    assert 'nonce="2"' in camera.wait_for("GET_PARAMETER", 2).headers["authorization"]


def test_a_sign_of_life_that_is_always_refused_is_no_endless_exchange() -> None:
    def check(wire: Wire, asked: Asked) -> None:
        nonce = f'nonce="{asked.headers["cseq"]}", stale=true'
        wire.reply(asked, "401 No", f"WWW-Authenticate: Digest {nonce}")

    on = {**guarded('Digest nonce="1"', session="abc;timeout=1"), "GET_PARAMETER": check}
    with ScriptedCamera(on) as camera, opened(with_login(camera.url)) as made:
        start = time.monotonic()
        with receiving(made):
            camera.wait_for("GET_PARAMETER", 3)

        # Two at the first moment, after half a second, and no third before the next.
        assert time.monotonic() - start > 0.8


def test_a_session_that_is_not_known_any_more_has_ended() -> None:
    on = {"GET_PARAMETER": refusing("454 Session Not Found")}
    with ScriptedCamera(on, session="abc;timeout=1") as camera:
        made = session(camera.url)
        made.open()
        assert failure(made, Session.receive).reason == "ended"


def test_reports_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "REPORT_INTERVAL", 0.05)
    media = [interleaved(rtp(seq)) for seq in (10, 11, 13)]
    report = interleaved(sender_report(1e9, 0), 1)
    with ScriptedCamera({"PLAY": playing(*media, report)}, session="x;timeout=1") as camera:
        with opened(camera.url) as made, receiving(made):
            camera.wait_for("GET_PARAMETER")
        packets = camera.wires[0].packets

    channel, first = packets[-1]
    assert channel == 1
    ssrc, lost, highest = struct.unpack_from(">III", first, 8)
    assert (ssrc, lost & 0xFFFFFF, highest) == (7, 1, 13)
    assert len(packets) > 3


def test_nothing_is_added_to_what_finds_no_room() -> None:
    class Full:
        is_clear = False

    line = cast(Line, Full())
    sent: list[bytes] = []
    talk = Conversation(line, Login(None, None), name="cam")
    made = upkeep.Upkeep(
        talk, line, url="x", knows_get_parameter=True, send_report=sent.append, name="cam"
    )
    first = made.due

    for moment in range(1000):
        made.tend(first + moment)

    assert sent == []
    assert made.due > first + 999
