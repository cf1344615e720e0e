"""Logging in, and what a server asks of us."""

from __future__ import annotations

from sender.rtsp.session import Session
from tests.sender.rtsp.scripted import (
    SDP,
    Asked,
    ScriptedCamera,
    Wire,
    failure,
    guarded,
    opened,
    session,
    unusual,
    with_login,
)


def test_a_wrong_password_is_tried_exactly_once_and_not_shown() -> None:
    on = guarded('Digest realm="r", nonce="n"', grants=lambda said: False)
    with ScriptedCamera(on) as camera:
        error = failure(session(with_login(camera.url)))

    assert error.reason == "auth"
    assert "user name or password refused; give them in the URL, as USER:" in str(error)
    assert "wrong-secret" not in repr(error)
    assert ["authorization" in asked.headers for asked in camera.asked] == [False, True]


def test_without_a_login_there_is_nothing_to_try() -> None:
    with ScriptedCamera(guarded("Basic")) as camera:
        error = failure(session(camera.url))

    assert error.reason == "auth"
    assert camera.methods() == ["OPTIONS"]


def test_a_login_is_sent_with_every_request_once_it_was_asked_for() -> None:
    with ScriptedCamera(guarded('Digest realm="r", nonce="n", qop="auth"')) as camera:
        with opened(with_login(camera.url)):
            pass
        camera.wait_for("TEARDOWN")

    methods = ["OPTIONS", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert camera.methods() == methods
    for number, asked in enumerate(camera.asked[1:], 1):
        said = asked.headers["authorization"]
        assert f'uri="{asked.url}"' in said
        assert f"nc={number:08x}" in said


def test_a_stale_nonce_is_replaced() -> None:
    def check(wire: Wire, asked: Asked) -> None:
        if 'nonce="new"' in asked.headers.get("authorization", ""):
            wire.reply(asked, body=SDP)
        elif "authorization" in asked.headers:
            wire.reply(asked, "401 No", 'WWW-Authenticate: Digest nonce="new", stale=true')
        else:
            wire.reply(asked, "401 No", 'WWW-Authenticate: Digest nonce="old"')

    with ScriptedCamera({"DESCRIBE": check}) as camera, opened(with_login(camera.url)):
        pass

    assert camera.methods().count("DESCRIBE") == 3


def test_a_server_for_which_every_nonce_is_stale_is_given_up() -> None:
    def check(wire: Wire, asked: Asked) -> None:
        nonce = f'nonce="{asked.headers["cseq"]}", stale=true'
        wire.reply(asked, "401 No", f"WWW-Authenticate: Digest {nonce}")

    with ScriptedCamera({"DESCRIBE": check}) as camera:
        assert failure(session(with_login(camera.url))).reason == "auth"

    assert camera.methods().count("DESCRIBE") == 3


def test_a_kind_of_login_that_we_do_not_know_is_left_to_ffmpeg() -> None:
    with ScriptedCamera(guarded("Digest nonce=n, algorithm=MD5-sess")) as camera:
        said = unusual(session(with_login(camera.url)))
        assert failure(session(camera.url)).reason == "auth"

    assert said == f"{camera.url}: it wants a kind of login that only FFmpeg may know"


def test_a_server_that_reads_nothing_is_given_up() -> None:
    def play(wire: Wire, asked: Asked) -> None:
        wire.reply(asked)
        while True:
            wire.send(b"OPTIONS * RTSP/1.0\r\nCSeq: %s\r\n\r\n" % (b"1" * 8000))

    with ScriptedCamera({"PLAY": play}) as camera:
        made = session(camera.url)
        made.open()
        error = failure(made, Session.receive)

    assert (error.reason, str(error)) == (
        "ended",
        f"{camera.url}: the connection was closed by the other side",
    )
