from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from sender.carriers import udp_carrier, udp_socket
from sender.carriers.udp_carrier import UdpCarrier
from sender.carriers.udp_endpoint import UdpEndpoint
from shared.datagram import HEAD, read_head, stream_of
from shared.datagram_body import unpack
from shared.datagram_seal import SEAL, Seal
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from tests.conftest import MakeFrame

TOKEN = "0123456789abcdef"


class Far:
    """A socket that takes what the carrier sends to it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((host, 0))
        self.socket.settimeout(30)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"udp://{shown}:{self.socket.getsockname()[1]}"

    def read(self, count: int) -> list[bytes]:
        return [self.socket.recv(1 << 16) for _ in range(count)]

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def far() -> Iterator[Far]:
    with closing(Far()) as far:
        yield far


def post(carrier: UdpCarrier, endpoint: UdpEndpoint, frame: EncodedFrame) -> Reply:
    headers, body = endpoint.request(frame)
    return carrier.post(endpoint.target, body, headers, sent=None)


def large(frame: EncodedFrame, size: int = 100_000) -> EncodedFrame:
    return replace(frame, data=bytes(at * at // 7 % 256 for at in range(size)))


@pytest.mark.parametrize("cuts", [True, False])
@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_frame_s_datagrams_are_the_frame_whether_the_kernel_cuts_them_or_we(
    monkeypatch: pytest.MonkeyPatch,
    make_frame: MakeFrame,
    cuts: bool,
    token: str | None,
    host: str,
) -> None:
    calls: list[object] = []

    def refuse(one: socket.socket, data: object, how: object) -> int:
        calls.append(how)
        raise OSError(errno.EIO, "no cutting here")

    if not cuts:
        monkeypatch.setattr(socket.socket, "sendmsg", refuse)
    frame = large(make_frame(2**33 + 5))
    with closing(Far(host)) as far:
        endpoint = UdpEndpoint.read(far.url, "cam1", token=token)
        with closing(UdpCarrier(endpoint)) as carrier:
            assert post(carrier, endpoint, frame).status == 202
            came = far.read(1)
            came += far.read(read_head(came[0], max_length=200_000).cut.parts - 1)

    assert len(calls) == (not cuts)  # it is not tried again and again
    heads = [read_head(each, max_length=200_000) for each in came]
    behind = 0 if token is None else SEAL
    data = b"".join(each[HEAD : len(each) - behind] for each in came)
    assert [head.part for head in heads] == list(range(len(came)))
    assert {head.stream for head in heads} == {stream_of("cam1", "e1")}
    assert unpack(data, stream=heads[0].stream, seq=5).picture == frame.data
    if token is not None:
        assert all(Seal.of(token).fits(each) for each in came)
    assert max(map(len, came)) + (28 if host == "127.0.0.1" else 48) <= 1400


def test_when_nobody_listens_the_host_says_so(make_frame: MakeFrame) -> None:
    with closing(Far()) as gone:
        endpoint = UdpEndpoint.read(gone.url, "cam1")
    with closing(UdpCarrier(endpoint)) as carrier:
        for seq in range(3):
            with pytest.raises(NoReply, match="nobody listens there") as caught:
                post(carrier, endpoint, make_frame(seq))
            assert caught.value.reason == "connect"


def test_it_goes_on_when_somebody_listens_again(make_frame: MakeFrame) -> None:
    far = Far()
    port = far.socket.getsockname()[1]
    endpoint = UdpEndpoint.read(far.url, "cam1")
    far.close()
    with closing(UdpCarrier(endpoint)) as carrier:
        with pytest.raises(NoReply):
            post(carrier, endpoint, make_frame(1))
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as again:
            again.bind(("127.0.0.1", port))
            assert post(carrier, endpoint, make_frame(2)).status == 202


def test_a_name_without_an_address_is_told(make_frame: MakeFrame) -> None:
    endpoint = UdpEndpoint.read("udp://nobody.invalid:1", "cam1")

    with pytest.raises(NoReply, match="no address for its name") as caught:
        post(UdpCarrier(endpoint), endpoint, make_frame())

    assert caught.value.reason == "connect"


def test_an_interface_that_is_not_there_is_told(make_frame: MakeFrame) -> None:
    endpoint = UdpEndpoint.read("udp://239.1.2.3:1?interface=nothere0", "cam1")

    with pytest.raises(NoReply, match="no way there: "):
        post(UdpCarrier(endpoint), endpoint, make_frame())


def test_packets_that_are_too_large_for_the_network_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, make_frame: MakeFrame, far: Far
) -> None:
    def refuse(self: udp_socket.UdpSocket, run: memoryview, size: int) -> None:
        raise OSError(errno.EMSGSIZE, "Message too long")

    monkeypatch.setattr(udp_socket.UdpSocket, "send", refuse)
    endpoint = UdpEndpoint.read(f"{far.url}?mtu=9000", "cam1")

    with pytest.raises(NoReply, match=r"packets of 9000 bytes are too large .* \?mtu="):
        post(UdpCarrier(endpoint), endpoint, make_frame())


def test_a_frame_of_too_many_datagrams_is_refused(
    monkeypatch: pytest.MonkeyPatch, make_frame: MakeFrame, far: Far
) -> None:
    monkeypatch.setattr("shared.datagram.MOST_PARTS", 10)
    endpoint = UdpEndpoint.read(far.url, "cam1")

    with closing(UdpCarrier(endpoint)) as carrier:
        reply = post(carrier, endpoint, large(make_frame()))

    assert (reply.status, reply.body[:17]) == (413, b"expected at most ")


class Waits:
    """Stands for the event that ends a wait; counts the waits."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.nap = 0.0
        self.is_stopped = False

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        time.sleep(self.nap)
        return self.is_stopped

    def is_set(self) -> bool:
        return self.is_stopped


@pytest.mark.parametrize(
    ("pace", "interval", "together"),
    [(50, 0.04, 0.02), (25, 0.04, 0.01), (50, 10.0, 0.1), (0, 0.04, 0.0), (50, 0.004, 0.0)],
)
def test_a_large_frame_is_spread_over_a_part_of_the_time_to_the_next(
    make_frame: MakeFrame, far: Far, pace: int, interval: float, together: float
) -> None:
    endpoint = UdpEndpoint.read(f"{far.url}?pace={pace}", "cam1")
    with closing(UdpCarrier(endpoint)) as carrier:
        waits = Waits()
        carrier._stopped = waits  # type: ignore[assignment]
        for seq in (1, 3):  # one between them was not sent
            frame = large(make_frame(seq, captured_at=1000.0 + seq * interval))
            waits.seconds.clear()
            post(carrier, endpoint, frame)

    runs = -(-endpoint.cut(100_200, version=4).parts // udp_carrier._BURST)
    assert len(waits.seconds) == (runs - 1 if together else 0)
    assert sum(waits.seconds) * runs / (runs - 1) == pytest.approx(together, abs=0.001)


def test_a_small_frame_leaves_at_once(make_frame: MakeFrame, far: Far) -> None:
    endpoint = UdpEndpoint.read(far.url, "cam1")
    with closing(UdpCarrier(endpoint)) as carrier:
        waits = Waits()
        carrier._stopped = waits  # type: ignore[assignment]
        for seq in range(3):
            post(carrier, endpoint, make_frame(seq, captured_at=1000.0 + seq))

    assert waits.seconds == []


def test_a_stop_ends_a_frame_that_is_spread(make_frame: MakeFrame, far: Far) -> None:
    endpoint = UdpEndpoint.read(far.url, "cam1")
    with closing(UdpCarrier(endpoint)) as carrier:
        post(carrier, endpoint, large(make_frame(1, captured_at=1000.0)))
        threading.Timer(0.02, carrier.interrupt).start()

        def go_on() -> None:
            for seq in range(2, 10_000):
                post(carrier, endpoint, large(make_frame(seq, captured_at=1000.0 + seq)))

        with pytest.raises(NoReply) as caught:
            go_on()

    assert caught.value.reason == "stopped"


def test_a_frame_that_is_not_out_within_the_deadline_is_given_up(
    make_frame: MakeFrame, far: Far
) -> None:
    endpoint = UdpEndpoint.read(far.url, "cam1")
    with closing(UdpCarrier(endpoint, deadline=0.05)) as carrier:
        waits = Waits()
        carrier._stopped = waits  # type: ignore[assignment]
        waits.nap = 0.06
        post(carrier, endpoint, make_frame(1, captured_at=1000.0))
        with pytest.raises(NoReply, match=r"not sent within 0\.05 s") as caught:
            post(carrier, endpoint, large(make_frame(2, captured_at=1001.0)))

    assert caught.value.reason == "timeout"
