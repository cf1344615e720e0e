"""RTP and RTCP by UDP."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sender.rtsp import flow, upkeep
from sender.rtsp.ports import Ports
from sender.rtsp.session import Session
from sender.rtsp.watch import Watch
from sender.sources.interrupt import Interrupt
from tests.sender.rtsp.scripted import (
    Asked,
    ScriptedCamera,
    Wire,
    bye,
    failure,
    opened,
    packet,
    receiving,
    rtp,
    sender_report,
)


class UdpCamera(ScriptedCamera):
    """Sends from two ports of its own, what and when a test says."""

    def __init__(self, *, named: bool = True) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in self.sockets:
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(5)
        rtp_port, rtcp_port = (sock.getsockname()[1] for sock in self.sockets)

        def set_up(wire: Wire, asked: Asked) -> None:
            pair = asked.headers["transport"].partition("client_port=")[2].split("-")
            self.to = [("127.0.0.1", int(number)) for number in pair]
            ports = f"server_port={rtp_port}-{rtcp_port}" if named else ""
            wire.reply(
                asked, "200 OK", f"Transport: RTP/AVP;unicast;{ports}", "Session: x;timeout=1"
            )

        super().__init__({"SETUP": set_up})

    def send(self, data: bytes, channel: int = 0) -> None:
        self.sockets[channel].sendto(data, self.to[channel])

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def udp_camera() -> Iterator[UdpCamera]:
    with UdpCamera() as camera:
        yield camera
        camera.close()


def test_the_ports_are_a_pair_and_the_way_back_is_opened(udp_camera: UdpCamera) -> None:
    with opened(udp_camera.url, transport="udp"):
        (_, rtp_port), (_, rtcp_port) = udp_camera.to
        assert rtp_port % 2 == 0
        assert rtcp_port == rtp_port + 1
        for sock, to in zip(udp_camera.sockets, udp_camera.to, strict=True):
            data, address = sock.recvfrom(100)
            assert address == to
            assert data[0] == 0x80


def test_packets_that_come_before_the_answer_to_play_keep_nobody_busy(
    udp_camera: UdpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = 0
    wait = Watch.wait

    def counted(watch: Watch, until: float) -> dict[object, int]:
        nonlocal waits
        waits += 1
        return wait(watch, until)

    def play(wire: Wire, asked: Asked) -> None:
        udp_camera.send(rtp(1))
        threading.Event().wait(0.1)
        wire.reply(asked)

    monkeypatch.setattr(Watch, "wait", counted)
    udp_camera.on["PLAY"] = play
    with opened(udp_camera.url, transport="udp") as made:
        assert waits < 30
        assert packet(made).seq == 1


def test_where_no_packet_ever_comes_the_way_around_is_told(udp_camera: UdpCamera) -> None:
    with opened(udp_camera.url, transport="udp", read_timeout=0.1) as made:
        never = failure(made, Session.receive)
    with opened(udp_camera.url, transport="udp", read_timeout=0.1) as made:
        udp_camera.send(rtp())
        later = failure(made, Session.receive)

    assert str(never) == (
        f"{udp_camera.url}: no packet for 0.1 s; does a firewall keep UDP out? "
        "The RTSP transport tcp passes where RTSP does"
    )
    assert str(later) == f"{udp_camera.url}: no packet for 0.1 s"


def test_packets_and_reports_are_received(udp_camera: UdpCamera) -> None:
    with opened(udp_camera.url, transport="udp") as made:
        udp_camera.send(sender_report(1e9, 0), 1)
        udp_camera.send(rtp(1, timestamp=90_000))
        found = packet(made)
        udp_camera.send(sender_report(2e9, 0), 1)
        udp_camera.send(bye(), 1)
        error = failure(made, Session.receive)

        assert found.seq == 1
        assert made.clock.unix(0) == pytest.approx(2e9)
        assert error.reason == "ended"


def test_reports_go_to_the_cameras_port(
    udp_camera: UdpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "REPORT_INTERVAL", 0.02)
    with opened(udp_camera.url, transport="udp") as made:
        udp_camera.send(rtp(10))
        with receiving(made):
            reports = udp_camera.sockets[1]
            while (report := reports.recv(100))[0] & 31 == 0:  # it reports on nobody yet
                pass

    assert struct.unpack_from(">I", report, 8) == (7,)


def test_packets_of_another_host_are_ignored(udp_camera: UdpCamera) -> None:
    with (
        opened(udp_camera.url, transport="udp") as made,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(rtp(666), udp_camera.to[0])
        stranger.sendto(bye(), udp_camera.to[1])
        udp_camera.send(rtp(1))
        udp_camera.send(rtp(2))

        assert [packet(made).seq for _ in range(2)] == [1, 2]


def test_what_an_old_session_still_sends_is_left_out(
    udp_camera: UdpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(udp_camera.url, transport="udp") as made:
        udp_camera.send(rtp(1))
        udp_camera.send(rtp(500, ssrc=8))
        udp_camera.send(rtp(2))
        assert [packet(made).seq for _ in range(2)] == [1, 2]

        # A sender that is silent for long has another after it.
        monkeypatch.setattr(flow, "SSRC_SILENCE", 0.0)
        udp_camera.send(rtp(501, ssrc=8))
        assert packet(made).seq == 501


def test_a_camera_that_names_no_ports_gets_no_reports_but_is_read() -> None:
    with UdpCamera(named=False) as camera:
        with opened(camera.url, transport="udp") as made:
            camera.send(rtp(1))
            assert packet(made).seq == 1
        camera.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch(Interrupt())
    yield made
    made.close()


def bound(*addresses: tuple[str, int]) -> Callable[[socket.socket, tuple[str, int]], None]:
    """Return a `bind` that lets the system choose these ports first, one after the other."""
    chosen, real = iter(addresses), socket.socket.bind

    def bind(sock: socket.socket, address: tuple[str, int]) -> None:
        real(sock, next(chosen, address) if address[1] == 0 else address)

    return bind


def test_a_pair_is_looked_for_until_there_is_one(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Ports("127.0.0.1", watch)
    even, odd = pair.numbers
    pair.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
        neighbour.bind(("127.0.0.1", odd))
        # First one that has no free neighbour, then an odd one; then what the system likes.
        free_odd = free_udp_port(odd=True)
        monkeypatch.setattr(
            socket.socket, "bind", bound(("127.0.0.1", even), ("127.0.0.1", free_odd))
        )
        ports = Ports("127.0.0.1", watch)
        first, second = ports.numbers
        ports.close()

    assert first % 2 == 0
    assert second == first + 1
    assert first not in (even, free_odd)


def free_udp_port(*, odd: bool) -> int:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port % 2 == odd:
            return port


def test_all_is_closed_when_there_is_no_pair(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    real = socket.socket

    def make(*arguments: int) -> socket.socket:
        made.append(real(*arguments))
        return made[-1]

    def refuse(sock: socket.socket, address: tuple[str, int]) -> None:
        if address[1] != 0:
            raise OSError("in use")

    monkeypatch.setattr(real, "bind", refuse)
    monkeypatch.setattr(socket, "socket", make)
    with pytest.raises(OSError, match="no pair of UDP ports is free"):
        Ports("127.0.0.1", watch)
    monkeypatch.undo()

    assert len(made) > 20
    assert all(sock.fileno() == -1 for sock in made)


@pytest.mark.parametrize("source", ["127.0.0.2", "::1", "a name", "", None])
def test_a_source_is_taken_when_it_is_an_address(watch: Watch, source: str | None) -> None:
    ports = Ports("127.0.0.1", watch)
    with real_socket() as other, real_socket() as camera:
        other.bind(("127.0.0.2", 0))
        camera.bind(("127.0.0.1", 0))
        ports.meet("127.0.0.1", source, None)
        ports.begin()
        to = ("127.0.0.1", ports.numbers[0])
        other.sendto(b"other", to)
        camera.sendto(b"camera", to)
        assert watch.wait(time.monotonic() + 5)
        came = [packet.data for packet in ports.read()]
    ports.close()

    assert came == ([b"other", b"camera"] if source == "127.0.0.2" else [b"camera"])


def real_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def test_the_buffer_is_as_large_as_the_system_lets_it_be(watch: Watch) -> None:
    ports = Ports("127.0.0.1", watch)
    with real_socket() as plain:
        usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    sizes = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for sock in ports._sockets]
    ports.close()

    assert min(sizes) >= usual
    most = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii"))
    assert min(sizes) >= min(2 * most, 4 << 20)
