from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from receiver.access.seals import Seals
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.listeners import udp_socket
from receiver.listeners.udp_listener import UdpListener
from receiver.listeners.udp_place import UdpPlace
from sender.carriers.udp_carrier import UdpCarrier
from sender.carriers.udp_endpoint import UdpEndpoint
from shared import codec
from shared.access.grant import Grant, Token
from shared.access.tokens import Tokens, digest_of
from shared.seats import Seats
from tests.conftest import MakeFrame
from tests.receiver.bench import wait_until
from tests.receiver.listeners.pieces import datagrams, noisy

MAX_BYTES = 100_000
OURS, THEIRS, VIEWER = "ours-0123456789abcdef", "theirs-0123456789abcdef", "viewer-0123456789abcd"
GRANTS = {
    OURS: Grant(name="door", roles=frozenset({"ingest"}), cameras=frozenset({"cam1"})),
    VIEWER: Grant(name="wall", roles=frozenset({"view"})),
}
TOKENS = [Token(digest=digest_of(token), grant=grant) for token, grant in GRANTS.items()]


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Bench:
    """A listener that is stepped by hand, and a socket that sends to it."""

    def __init__(self, options: str = "", *, tokens: Tokens | None = None) -> None:
        self.hub = Hub(max_cameras=2)
        self.desk = Desk(self.hub, max_pixels=640 * 480, seats=Seats(1), has_hook=lambda _: False)
        self.port = free_port()
        self.now = time.time
        self.listener = UdpListener(
            UdpPlace.parse(f"udp://127.0.0.1:{self.port}{options}"),
            self.desk,
            max_bytes=MAX_BYTES,
            seals=None if tokens is None else Seals(tokens),
            now=lambda: self.now(),
        )
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.step()  # it opens

    def send(self, *given: bytes) -> None:
        """Send datagrams, and step until they were read."""
        goal = sum(self.listener.status().datagrams.values()) + len(given)
        for datagram in given:
            self._socket.sendto(datagram, ("127.0.0.1", self.port))
        end = time.monotonic() + 30
        while sum(self.listener.status().datagrams.values()) < goal:
            assert time.monotonic() < end, self.listener.status()
            self.listener.step()

    def datagrams(self) -> dict[str, int]:
        return {name: count for name, count in self.listener.status().datagrams.items() if count}

    def frames(self) -> dict[str, int]:
        return dict(self.listener.status().outcomes)

    def newest(self, camera: str = "cam1") -> bytes | None:
        found = self.hub.get(camera)
        frame = None if found is None else found.latest.peek()
        return None if frame is None else frame.data

    def close(self) -> None:
        self.listener.close()
        self._socket.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with closing(Bench()) as bench:
        yield bench


@pytest.fixture
def guarded() -> Iterator[Bench]:
    with closing(Bench(tokens=Tokens(TOKENS))) as bench:
        yield bench


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]


def test_a_frame_comes_with_its_whole_envelope(bench: Bench, make_frame: MakeFrame) -> None:
    frame = make_frame(2**32 + 7, captured_at=1_700_000_000.25)

    bench.send(*datagrams(frame))

    found = bench.hub.get("cam1")
    assert found is not None
    newest = found.latest.peek()
    assert newest is not None
    assert newest == frame
    assert newest.sent_at is not None
    assert bench.frames() == {"taken": 1}


@pytest.mark.parametrize(("form", "channels"), [("rgb", 3), ("gray", 1)])
def test_pixels_come_as_they_are(bench: Bench, form: str, channels: int) -> None:
    frame = noisy(1, size=64 * 48 * channels)
    raw = f"application/x-raw-{form}; width=64; height=48"

    bench.send(*datagrams(replace(frame, media_type=raw)))

    assert bench.newest() == frame.data


def test_what_is_no_picture_is_refused_as_a_post_is(
    bench: Bench, caplog: pytest.LogCaptureFixture, make_frame: MakeFrame
) -> None:
    bench.send(*datagrams(make_frame(1)))
    bench.send(*datagrams(noisy(2)))
    bench.send(*datagrams(noisy(3)))

    assert bench.frames() == {"taken": 1, "refused": 2}
    assert bench.hub.refused() == {("cam1", "format"): 2}
    [sentence] = told(caplog)
    assert "a frame from 127.0.0.1 is refused: image: expected a JPEG, PNG or WebP" in sentence


def test_a_picture_has_as_many_bytes_as_are_allowed_and_no_more(bench: Bench) -> None:
    most = codec.encode(np.zeros((16, 16, 3), np.uint8), 80)
    padded = most + bytes(MAX_BYTES - len(most))  # cameras fill a block with zeros

    bench.send(*datagrams(replace(noisy(1), data=padded)))
    bench.send(*datagrams(replace(noisy(2), data=padded + b"\0")))

    assert bench.frames() == {"taken": 1, "refused": 1}
    assert bench.hub.refused() == {("cam1", "too_large"): 1}


def test_what_is_larger_than_any_frame_is_left_alone_at_its_first_datagram(bench: Bench) -> None:
    first = datagrams(replace(noisy(1), data=bytes(2 * MAX_BYTES)))[0]

    bench.send(first)

    assert bench.datagrams() == {"claim": 1}
    assert bench.listener._assembly.held == 0


def test_garbage_is_counted_by_its_reason_and_told_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    piece = datagrams(noisy(1))[0]

    bench.send(b"", b"x", b"FP", b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", bytes(1400))
    bench.send(piece[:-1], piece + b"x", piece[:24], b"FP\x20" + piece[3:])

    assert bench.datagrams() == {"garbled": 5, "size": 3, "version": 1}
    assert [sentence.count("is left alone") for sentence in told(caplog)] == [1, 1, 1]


def test_a_digest_is_checked(bench: Bench, make_frame: MakeFrame) -> None:
    endpoint = UdpEndpoint.read("udp://127.0.0.1:9", "cam1", digest=True)
    headers, _ = endpoint.request(make_frame(1))
    other = make_frame(2).data

    bench.send(*UdpCarrier(endpoint).datagrams("cam1", other, headers))

    assert bench.frames() == {"refused": 1}
    assert bench.hub.refused() == {("", "digest"): 1}


def test_more_cameras_than_there_may_be_are_refused(bench: Bench, make_frame: MakeFrame) -> None:
    for number in range(4):
        bench.send(*datagrams(make_frame(camera=f"cam{number}")))

    assert bench.frames() == {"taken": 2, "refused": 2}
    assert bench.hub.refused() == {("", "cameras"): 2}


def test_a_name_that_is_none_is_refused(bench: Bench, make_frame: MakeFrame) -> None:
    bench.send(*datagrams(make_frame(camera="../x")))

    assert bench.hub.refused() == {("", "camera"): 1}


def test_what_a_token_sealed_is_taken(guarded: Bench, make_frame: MakeFrame) -> None:
    frame = make_frame(1)

    guarded.send(*datagrams(frame, "?parity=2", token=OURS))

    assert guarded.newest() == frame.data


def test_without_a_known_seal_nothing_is_kept(
    guarded: Bench, caplog: pytest.LogCaptureFixture, make_frame: MakeFrame
) -> None:
    bare = datagrams(make_frame(1))
    strange = datagrams(make_frame(2), token=THEIRS)
    ours = datagrams(make_frame(3), token=OURS)
    changed = [each[:30] + bytes([each[30] ^ 1]) + each[31:] for each in ours]
    moved = [each[:8] + bytes([each[8] ^ 1]) + each[9:] for each in ours]
    guarded.send(*bare, *strange, *changed, *moved)

    wrong = len(strange) + len(changed) + len(moved)
    assert guarded.datagrams() == {"unsealed": len(bare), "forged": wrong}
    assert guarded.listener._assembly.held == 0
    assert not guarded.listener._assembly._strangers
    assert len(told(caplog)) == 2
    assert OURS not in caplog.text


def test_a_token_brings_the_frames_of_its_cameras_alone(
    guarded: Bench, make_frame: MakeFrame
) -> None:
    guarded.send(*datagrams(make_frame(camera="cam2"), token=OURS))

    assert guarded.frames() == {"refused": 1}
    assert guarded.hub.refused() == {("", "camera"): 1}
    assert guarded.hub.cameras() == []


def test_a_token_of_another_role_brings_none(guarded: Bench, make_frame: MakeFrame) -> None:
    sent = datagrams(make_frame(), token=VIEWER)

    guarded.send(*sent)

    assert guarded.datagrams() == {"forbidden": len(sent)}


@pytest.mark.parametrize("seconds", [-31, 31])
def test_what_is_of_another_time_is_left_alone(
    guarded: Bench, caplog: pytest.LogCaptureFixture, make_frame: MakeFrame, seconds: float
) -> None:
    sent = datagrams(make_frame(), token=OURS)
    guarded.now = lambda: time.time() + seconds

    guarded.send(*sent)

    assert guarded.datagrams() == {"stale": len(sent)}
    assert (
        f"expected its time to be within 30 s of ours, got {-seconds:+.0f}"[:-1] in told(caplog)[0]
    )


def test_how_far_clocks_may_be_off_is_an_option(make_frame: MakeFrame) -> None:
    with closing(Bench("?skew=3600", tokens=Tokens(TOKENS))) as bench:
        bench.now = lambda: time.time() + 3000
        bench.send(*datagrams(make_frame(), token=OURS))

        assert bench.frames() == {"taken": 1}


def test_what_was_taken_is_not_taken_again(guarded: Bench, make_frame: MakeFrame) -> None:
    first = datagrams(make_frame(1), token=OURS)
    second = datagrams(make_frame(2), token=OURS)

    guarded.send(*first, *second, *first, *second)

    assert guarded.frames() == {"taken": 2}
    assert guarded.datagrams()["late"] == len(first)


def test_a_token_that_is_taken_back_counts_no_more(make_frame: MakeFrame) -> None:
    tokens = Tokens(TOKENS)
    with closing(Bench(tokens=tokens)) as bench:
        bench.send(*datagrams(make_frame(1), token=OURS))
        tokens.replace([])
        bench.send(*datagrams(make_frame(2), token=OURS))

        assert bench.frames() == {"taken": 1}
        assert "forged" in bench.datagrams()


def test_where_no_token_is_needed_a_seal_does_no_harm(bench: Bench, make_frame: MakeFrame) -> None:
    bench.send(*datagrams(make_frame(1), token=OURS))

    assert bench.frames() == {"taken": 1}


def test_what_the_kernel_had_no_room_for_is_counted_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(udp_socket, "_BUFFER", 4096)
    with closing(Bench()) as bench, closing(socket.socket(type=socket.SOCK_DGRAM)) as sender:
        for _ in range(200):
            sender.sendto(bytes(1400), ("127.0.0.1", bench.port))

        def is_all_counted() -> bool:
            bench.listener.step()
            bench.listener._look()
            return sum(bench.datagrams().values()) == 200

        wait_until("200 datagrams", is_all_counted)
        assert bench.datagrams()["dropped"] > 100
    assert "net.core.rmem_max" in caplog.text


def test_an_address_that_is_taken_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with closing(Bench()) as first:
        place = UdpPlace.parse(f"udp://127.0.0.1:{first.port}")
        second = UdpListener(place, first.desk, max_bytes=MAX_BYTES)
        second.step()
        second.step()
        assert not second.status().is_up
        [sentence] = told(caplog)
        assert "cannot listen (Address already in use); trying again" in sentence
    second.step()
    assert second.status().is_up
    second.close()


def test_it_ends_within_a_second(bench: Bench) -> None:
    bench.close()
    with bench.listener:
        wait_until("an open socket", lambda: bench.listener.status().is_up)
        began = time.monotonic()
        assert bench.listener.stop()

    assert time.monotonic() - began < 30
    assert not bench.listener.status().is_up


def test_a_group_s_datagrams_come_to_each_who_joined(make_frame: MakeFrame) -> None:
    frame = make_frame(1)
    port = free_port()
    hub = Hub()
    desk = Desk(hub, max_pixels=640 * 480, seats=Seats(1), has_hook=lambda _: False)
    place = UdpPlace.parse(f"udp://239.255.70.80:{port}?interface=lo")
    listeners = [UdpListener(place, desk, max_bytes=MAX_BYTES) for _ in range(2)]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for listener in listeners:
            listener.step()
            for datagram in datagrams(frame):
                sender.sendto(datagram, ("239.255.70.80", port))
            wait_until_taken(listener)
    for listener in listeners:
        listener.close()


def wait_until_taken(listener: UdpListener) -> None:
    def is_taken() -> bool:
        listener.step()
        return listener.status().outcomes.get("taken") == 1

    wait_until("a frame", is_taken)
