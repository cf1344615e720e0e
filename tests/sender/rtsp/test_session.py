"""Whole sessions: with the simulated camera, in time, interrupted, over TLS."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from camera.simulated import SimulatedCamera
from sender.rtsp.session import Session
from sender.sources.interrupt import Interrupt
from tests.leftovers import leaves_nothing
from tests.sender.doubles import RawServer, black_hole, free_port
from tests.sender.rtsp.scripted import (
    Asked,
    ScriptedCamera,
    Wire,
    failure,
    interleaved,
    opened,
    packet,
    playing,
    rtp,
    sender_report,
    session,
)

SIZE = (320, 240)
PEM = Path(__file__).parents[2] / "shared" / "localhost.pem"


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
def test_every_packet_arrives_in_order(codec: str, transport: str) -> None:
    with (
        SimulatedCamera(codec=codec, size=SIZE, fps=50) as camera,
        opened(camera.url, transport=transport) as made,
    ):
        packets = [packet(made) for _ in range(60)]

    first = packets[0].seq
    assert [each.seq for each in packets] == [first + n & 0xFFFF for n in range(60)]
    assert len({each.timestamp for each in packets}) > 1


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_cameras_own_time_is_known(transport: str) -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50) as camera,
        opened(camera.url, transport=transport) as made,
    ):
        for _ in range(10):
            newest = packet(made)
        at = made.clock.unix(newest.timestamp)

    assert at is not None
    assert 0 <= time.time() - at < 30


@pytest.mark.parametrize("password", ["secret", "", "p@ss/w:rd?#%41", 'ü&="\\'])
def test_a_login_is_given_where_it_is_asked_for(password: str) -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50, user="ad=m, n", password=password) as camera,
        opened(camera.login_url) as made,
    ):
        packet(made)


def test_a_session_says_goodbye_and_may_be_closed_twice() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        for transport in ("tcp", "udp", "tcp"):
            made = session(camera.url, transport=transport)
            made.open()
            packet(made)
            made.close()
            made.close()

        assert camera.wait_until(lambda camera: camera.teardowns == 3)


def test_a_camera_that_denies_every_login_is_asked_once_and_again_without_success() -> None:
    with SimulatedCamera(size=SIZE, user="admin", password="right") as camera:
        camera.deny()
        error = failure(session(camera.login_url))

    assert error.reason == "auth"
    assert "right" not in repr(error)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("fault", [SimulatedCamera.stall, SimulatedCamera.silence])
def test_a_camera_that_stalls_is_given_up_in_time(
    transport: str, fault: Callable[[SimulatedCamera], None]
) -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        made = session(camera.url, transport=transport, read_timeout=1.0)
        made.open()
        packet(made)
        fault(camera)
        start = time.monotonic()
        error = failure(made, Session.receive)

    assert error.reason == "timeout"
    assert str(error) == f"{camera.url}: no packet for 1 s"
    assert 0.9 < time.monotonic() - start < 10


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_cuts_the_connection_has_ended(transport: str) -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        made = session(camera.url, transport=transport)
        made.open()
        packet(made)
        camera.drop_clients()
        error = failure(made, Session.receive)

    assert error.reason == "ended"


def test_over_ipv6_it_is_the_same() -> None:
    try:
        camera = SimulatedCamera(host="::1", size=SIZE, fps=50).start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        for transport in ("tcp", "udp"):
            with opened(camera.url, transport=transport) as made:
                packet(made)
    finally:
        camera.stop()


# Times and interrupts


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    start = time.monotonic()
    with black_hole() as port:
        error = failure(session(f"rtsp://127.0.0.1:{port}/live", open_timeout=0.3))

    assert error.reason == "timeout"
    assert 0.25 < time.monotonic() - start < 4


@pytest.mark.parametrize(
    "drip", [b"R", interleaved(rtp()), b"RTSP/1.0 100 Go on\r\n\r\n", b"OPTIONS * RTSP/1.0\r\n\r\n"]
)
def test_a_server_that_drips_is_late_as_a_whole(drip: bytes) -> None:
    gone = threading.Event()

    def answer(wire: Wire, asked: Asked) -> None:
        while not gone.wait(0.02):
            wire.send(drip if len(drip) > 1 else b"RTSP/1.0 200 OK\r\nA: ")
            if len(drip) == 1:
                while not gone.wait(0.02):
                    wire.send(b"a")

    with ScriptedCamera({"PLAY": answer}) as camera:
        start = time.monotonic()
        error = failure(session(camera.url, open_timeout=0.4))
        took = time.monotonic() - start
        gone.set()

    assert error.reason == "timeout"
    assert took < 4


def test_other_traffic_does_not_pass_for_packets() -> None:
    gone = threading.Event()

    def play(wire: Wire, asked: Asked) -> None:
        wire.reply(asked)
        while not gone.wait(0.02):
            wire.send(
                interleaved(b"audio", 2),
                interleaved(sender_report(1e9, 0), 1),
                interleaved(rtp(payload_type=97)),
            )

    with ScriptedCamera({"PLAY": play}) as camera:
        made = session(camera.url, read_timeout=0.3)
        made.open()
        start = time.monotonic()
        error = failure(made, Session.receive)
        took = time.monotonic() - start
        gone.set()

    assert error.reason == "timeout"
    assert took < 4


def test_a_receive_ends_when_it_is_told_to() -> None:
    with (
        ScriptedCamera({"PLAY": playing(interleaved(rtp(5)))}) as camera,
        opened(camera.url, read_timeout=1.0) as made,
    ):
        # Looked for even when the time has come.
        while (first := made.receive(time.monotonic())) is None:
            pass
        start = time.monotonic()
        assert made.receive(start + 0.05) is None
        assert time.monotonic() - start > 0.04
        assert first.seq == 5
        error = failure(made, lambda made: made.receive(time.monotonic() + 0.01))

    assert error.reason == "timeout"


def test_whoever_was_away_finds_what_came_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        ScriptedCamera({"PLAY": playing(interleaved(rtp(1)))}) as camera,
        opened(camera.url, read_timeout=1.0) as made,
    ):
        packet(made)
        assert made.receive(time.monotonic() + 0.01) is None
        camera.wires[0].send(interleaved(rtp(2)))
        ahead = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: ahead + 3600)
        assert packet(made).seq == 2
        monkeypatch.undo()


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "PLAY"])
def test_opening_is_interrupted_at_once(method: str) -> None:
    interrupt = Interrupt()
    with ScriptedCamera({method: lambda wire, asked: interrupt.set()}) as camera:
        start = time.monotonic()
        error = failure(session(camera.url, interrupt=interrupt, open_timeout=60))

    assert error.reason == "interrupted"
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_receiving_is_interrupted_at_once_and_the_camera_told(transport: str) -> None:
    interrupt = Interrupt()

    with ScriptedCamera() as camera:
        made = session(camera.url, transport=transport, interrupt=interrupt, read_timeout=60)
        made.open()
        timer = threading.Timer(0.1, interrupt.set)
        timer.start()
        start = time.monotonic()
        error = failure(made, Session.receive)
        camera.wait_for("TEARDOWN")

    assert error.reason == "interrupted"
    assert time.monotonic() - start < 30


def test_a_goodbye_to_a_server_that_is_silent_is_short() -> None:
    with (
        ScriptedCamera({"TEARDOWN": lambda wire, asked: None}) as camera,
        opened(camera.url) as made,
    ):
        start = time.monotonic()
        made.close()

    assert time.monotonic() - start < 4


def test_a_port_where_nobody_listens_is_refused() -> None:
    port = free_port()
    error = failure(session(f"rtsp://a:secret@127.0.0.1:{port}/live"))

    assert error.reason == "refused"
    assert str(error) == f"rtsp://127.0.0.1:{port}/live: connection refused"


def test_a_camera_that_is_lost_leaves_nothing_to_the_garbage_collector() -> None:
    unheard = session(f"rtsp://127.0.0.1:{free_port()}/live")
    assert leaves_nothing(unheard.open)
    unheard.close()

    with SimulatedCamera(size=SIZE, fps=50) as camera:
        made = session(camera.url, read_timeout=0.2)
        made.open()
        camera.stall()

        assert leaves_nothing(lambda: read_on(made))
        made.close()


def read_on(made: Session) -> None:
    while True:
        made.receive()


def test_an_unknown_host_is_said() -> None:
    assert failure(session("rtsp://no-such-host.invalid/live")).reason == "dns"


# TLS


def encrypted(connection: socket.socket) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context.wrap_socket(connection, server_side=True)


def test_over_tls_the_certificate_is_not_looked_at() -> None:
    sent = [rtp(seq, payload=hashlib.sha256(bytes([seq])).digest() * 40) for seq in range(200)]
    media = b"".join(map(interleaved, sent))
    with ScriptedCamera({"PLAY": playing(media)}, prepare=encrypted) as camera:
        url = camera.url.replace("rtsp://127.0.0.1", "rtsps://127.0.0.1")
        with opened(url) as made:
            assert [packet(made).payload for _ in sent] == [data[12:] for data in sent]
        camera.wait_for("TEARDOWN")

    assert camera.asked[0].url == url


def test_a_server_without_tls_is_said() -> None:
    def refuse(connection: socket.socket, _number: int) -> None:
        connection.recv(1)
        connection.sendall(b"RTSP/1.0 400 Bad Request\r\n\r\n")

    with RawServer(refuse) as server:
        error = failure(session(f"rtsps://127.0.0.1:{server.port}/live"))

    assert error.reason == "io"
    assert ": no TLS connection (" in str(error)


def test_a_tls_server_that_is_silent_is_given_up_and_interrupted() -> None:
    interrupt = Interrupt()
    with black_hole() as port:
        url = f"rtsps://127.0.0.1:{port}/live"
        assert failure(session(url, open_timeout=0.2)).reason == "timeout"
        timer = threading.Timer(0.1, interrupt.set)
        timer.start()
        start = time.monotonic()
        assert failure(session(url, interrupt=interrupt, open_timeout=60)).reason == "interrupted"
        assert time.monotonic() - start < 30
        timer.join()
