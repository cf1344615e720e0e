"""The RTSP conversation, word by word."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from camera.simulated import SimulatedCamera
from tests.camera.raw_client import RawClient

SIZE = (160, 120)
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        yield camera
        assert camera.error is None


@pytest.fixture
def client(camera: SimulatedCamera) -> Iterator[RawClient]:
    with RawClient(camera.url) as client:
        yield client


def test_options_names_what_can_be_asked(client: RawClient) -> None:
    response = client.request("OPTIONS")

    assert response.status == 200
    methods = set(response.header("public").split(", "))
    assert methods >= {"DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"}


@pytest.mark.parametrize(
    ("codec", "lines"),
    [
        ("h264", [r"a=rtpmap:96 H264/90000", r"a=fmtp:96 .*sprop-parameter-sets=\S+,\S+"]),
        ("h265", [r"a=rtpmap:96 H265/90000", r"a=fmtp:96 sprop-vps=\S+;sprop-sps=.*sprop-pps=.*"]),
        ("mjpeg", [r"m=video 0 RTP/AVP 26", r"a=rtpmap:26 JPEG/90000"]),
    ],
)
def test_describe_tells_a_decoder_what_comes(codec: str, lines: list[str]) -> None:
    with SimulatedCamera(size=SIZE, codec=codec) as camera, RawClient(camera.url) as client:
        response = client.request("DESCRIBE", url=f"{camera.url}/any/path?with=query")

    assert response.header("content-type") == "application/sdp"
    assert response.header("content-base") == f"{camera.url}/any/path?with=query/"
    for line in [*lines, "a=control:trackID=0"]:
        assert re.search(f"^{line}\r$", response.body, re.MULTILINE), response.body


def test_a_session_lives_from_setup_to_teardown(camera: SimulatedCamera, client: RawClient) -> None:
    setup = client.setup("RTP/AVP/TCP;unicast;interleaved=4-5")
    assert setup.header("transport") == "RTP/AVP/TCP;unicast;interleaved=4-5"
    assert setup.header("session").endswith(";timeout=60")
    assert client.request("PLAY", Session=client.session).status == 200

    channel, report = client.packet()
    assert (channel, report[1]) == (5, 200)  # when the first frame was captured
    channel, packet = client.packet()
    assert (channel, packet[1] & 0x7F) == (4, 96)
    ntp, _, rtp_time = struct.unpack_from(">III", report, 8)
    assert ntp - 2_208_988_800 == pytest.approx(time.time(), abs=10)
    assert packet[4:8] == report[16:20] == rtp_time.to_bytes(4)

    assert client.request("PAUSE", Session=client.session).status == 200
    assert camera.clients == 0
    assert client.request("PAUSE", Session=client.session).status == 455
    assert client.request("PLAY", Session=client.session).status == 200
    assert client.request("GET_PARAMETER", Session=client.session).status == 200
    assert client.request("SET_PARAMETER", Session=client.session).status == 200
    assert client.request("OPTIONS", Session=client.session).status == 200
    assert client.request("TEARDOWN", Session=client.session).status == 200
    assert (camera.teardowns, camera.clients) == (1, 0)
    assert client.request("PLAY", Session=client.session).status == 454
    assert client.setup().status == 200


def test_sequence_numbers_go_up_by_one_and_a_picture_has_one_time(client: RawClient) -> None:
    client.play()
    packets = [packet for channel, packet in (client.packet() for _ in range(60)) if channel == 0]

    sequence = [int.from_bytes(packet[2:4]) for packet in packets]
    assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(sequence))
    ended_before = False
    for previous, packet in pairwise(packets):
        ended_before = bool(previous[1] & 0x80)
        assert (packet[4:8] != previous[4:8]) == ended_before
        assert packet[8:12] == previous[8:12]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param("OPTIONS * RTSP/1.0\r\n\r\n", 400, id="no CSeq"),
        pytest.param("OPTIONS * RTSP/1.0\r\nCSeq: one\r\n\r\n", 400, id="CSeq is no number"),
        pytest.param("OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505, id="another version"),
        pytest.param("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 505, id="a browser"),
        pytest.param("hello\r\n\r\n", 400, id="no request"),
        pytest.param("OPTIONS * RTSP/1.0\r\nCSeq 1\r\n\r\n", 400, id="no colon"),
        pytest.param("A" * 20_000, 400, id="endless header"),
        pytest.param(
            "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n",
            400,
            id="large body",
        ),
        pytest.param(
            "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", 400, id="negative body"
        ),
    ],
)
def test_garbage_is_answered_and_harms_nobody(
    camera: SimulatedCamera, client: RawClient, text: str, status: int
) -> None:
    assert client.say(text).status == status

    with RawClient(camera.url) as other:
        assert other.request("OPTIONS").status == 200


def test_what_is_not_allowed_has_its_status(client: RawClient) -> None:
    def status(method: str, **headers: str) -> int:
        return client.request(method, **headers).status

    assert status("RECORD") == 501
    assert status("FOO") == 501
    assert status("OPTIONS", Require="implicit-play") == 551
    assert status("PLAY") == 454
    assert status("PLAY", Session="nonsense") == 454
    assert status("TEARDOWN") == 454
    assert status("GET_PARAMETER", Session="nonsense") == 454
    other_track = client.request("SETUP", url=f"{client.url}/trackID=7", Transport=TCP)
    assert other_track.status == 404
    assert client.setup().status == 200
    assert status("SETUP", Transport=TCP) == 459
    assert status("SETUP", Transport=TCP, Session=client.session) == 200
    assert status("PLAY", Session=client.session) == 200
    assert status("SETUP", Transport=TCP, Session=client.session) == 455


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 461),
        ("RTP/AVP;multicast", 461),
        ("RTP/SAVP;unicast;client_port=5000-5001", 461),
        ("RTP/AVP;unicast", 461),
        ("RTP/AVP;unicast;client_port=70000-70001", 461),
        ("RTP/AVP/TCP;unicast;interleaved=255-256", 461),
        ("RTP/AVP/TCP;unicast;interleaved=0-1;mode=record", 461),
        ("RTP/AVP/TCP;unicast;interleaved=x", 461),
        ("RTP/AVP;multicast, RTP/AVP/TCP;unicast;interleaved=2-3", 200),
        ('RTP/AVP/UDP;unicast;client_port=5000;mode="PLAY"', 200),
        ("RTP/AVP/TCP", 200),
    ],
)
def test_the_first_transport_that_works_is_taken(
    client: RawClient, header: str, status: int
) -> None:
    assert client.setup(header).status == status


def test_requests_in_pieces_and_together_are_answered_one_by_one(client: RawClient) -> None:
    one = "OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"
    for piece in one[:-1]:
        client.socket.sendall(piece.encode())
    assert client.say(one[-1] + one.replace("7", "8")).header("cseq") == "7"
    assert client.say("$\x01\x00\x02ab" + one.replace("7", "9")).header("cseq") == "8"
    assert client.say("\r\n").header("cseq") == "9"


def test_a_session_ends_with_its_connection(camera: SimulatedCamera) -> None:
    with RawClient(camera.url) as client:
        client.play()
        assert camera.wait_until(lambda camera: camera.clients == 1)
    assert camera.wait_until(lambda camera: camera.clients == 0)
    assert camera.teardowns == 0


def test_a_client_that_resets_at_once_harms_nobody(
    camera: SimulatedCamera, client: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", camera.port)) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert client.request("OPTIONS").status == 200
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_a_client_that_says_nothing_is_let_go() -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50, timeout=0.4) as camera,
        RawClient(camera.url) as quiet,
        RawClient(camera.url) as lively,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        rtcp.bind(("127.0.0.1", 0))
        port = rtcp.getsockname()[1]
        setup = lively.setup(f"RTP/AVP;unicast;client_port={port ^ 1}-{port}")
        assert lively.request("PLAY", Session=lively.session).status == 200
        quiet.play()
        reports_to = re.search(r"server_port=\d+-(\d+)", setup.header("transport"))
        assert reports_to is not None
        deadline = time.monotonic() + 30
        while camera.clients == 2 and time.monotonic() < deadline:
            rtcp.sendto(b"\x80\xc9\0\1\0\0\0\0", ("127.0.0.1", int(reports_to[1])))
            camera.wait_until(lambda camera: camera.clients == 1, timeout=0.1)

        assert camera.clients == 1
        assert lively.request("OPTIONS").status == 200
        assert camera.wait_until(lambda camera: camera.clients == 0)


def test_a_client_that_asks_and_never_reads_is_cut_off_without_noise(
    camera: SimulatedCamera, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        RawClient(camera.url, receive_buffer=4096, timeout=10) as client,
        pytest.raises(ConnectionError),
    ):
        ask_on(client)
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def ask_on(client: RawClient) -> None:
    while True:
        client.socket.sendall(b"DESCRIBE * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 1000)
