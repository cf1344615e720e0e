"""UdpCarrier: sends each frame as datagrams, which nobody answers."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message

from sender.carriers.udp_endpoint import UdpEndpoint
from sender.carriers.udp_socket import UdpSocket
from shared import redis_envelope, wire
from shared.datagram import HEAD, Cut, Head, stream_of, time_of
from shared.datagram_body import Body
from shared.datagram_parity import parities
from shared.datagram_seal import SEAL, Seal
from shared.http_client import NoReply, Reply

#: So many datagrams leave in one go; more are spread over a part of the time to the next frame.
_BURST, _ALL = 16, 64
#: Seconds: a shorter gap is none, and for longer than this no frame is spread.
_LEAST_GAP, _LONGEST = 0.001, 0.1


class UdpCarrier:
    """A Client of the poster's: a frame counts as posted when the kernel has all of it."""

    def __init__(self, endpoint: UdpEndpoint, *, deadline: float = 5.0) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        self._seal = None if endpoint.token is None else Seal.of(endpoint.token)
        self._socket: UdpSocket | None = None
        self._stopped = threading.Event()
        #: Number and capture time of the frame before, and the time between two.
        self._last: tuple[int, float] | None = None
        self._interval = 0.0

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        """Send `body` as the frame of the camera `target`, with its envelope.

        Raise NoReply. `sent` is never called: when the frame is sent nothing is missing.
        """
        end = time.monotonic() + self._deadline
        try:
            if self._socket is None:
                self._socket = UdpSocket(self._endpoint, timeout=self._deadline)
            head, data = self._pack(target, body, headers, version=self._socket.version)
            gap = self._gap(headers, head.cut)
            for number, (run, size) in enumerate(self._runs(head, data, _BURST if gap else _ALL)):
                if number and gap:
                    self._stopped.wait(gap)
                self._check(end)
                self._socket.send(run, size)
            self._socket.check()
        except ValueError as exc:
            return Reply(413, Message(), str(exc).encode())
        except OSError as exc:
            self.close()
            raise self._no_reply(exc) from exc
        return Reply(202, Message(), b"")

    def datagrams(self, camera: str, picture: bytes, headers: Mapping[str, str]) -> list[bytes]:
        """Return what `post` sends over IPv4; raise ValueError for a frame that is too long."""
        head, data = self._pack(camera, picture, headers, version=4)
        return [
            bytes(run[at : at + size])
            for run, size in self._runs(head, data, _ALL)
            for at in range(0, len(run), size)
        ]

    def interrupt(self) -> None:
        """End a `post` that waits, and every later one, with NoReply; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _pack(
        self, camera: str, picture: bytes, headers: Mapping[str, str], *, version: int
    ) -> tuple[Head, bytes]:
        """Return the head of the first datagram, and what all of them carry; raise ValueError."""
        envelope = redis_envelope.write(headers, length=len(picture))
        stream = stream_of(camera, headers[wire.EPOCH])
        seq = int(headers[wire.SEQ]) % (1 << 32)
        data = Body(camera, envelope, picture).pack(stream=stream, seq=seq)
        cut = self._endpoint.cut(len(data), version=version)
        sealed = self._seal is not None
        return Head(cut, stream, seq, time_of(time.time()), is_sealed=sealed), data

    def _runs(self, head: Head, data: bytes, most: int) -> Iterator[tuple[memoryview, int]]:
        """Yield runs of at most `most` datagrams, and their size; a run's last may be shorter."""
        cut = head.cut
        pieces = [data[at : at + cut.chunk] for at in range(0, cut.length, cut.chunk)]
        yield from self._written(head, pieces, most)
        if cut.parity:
            yield from self._written(head._replace(is_parity=True), parities(data, cut), most)

    def _written(
        self, head: Head, pieces: list[bytes], most: int
    ) -> Iterator[tuple[memoryview, int]]:
        size = HEAD + len(pieces[0]) + (0 if self._seal is None else SEAL)
        for first in range(0, len(pieces), most):
            some = pieces[first : first + most]
            run = bytearray(size * len(some))
            at = 0
            for part, piece in enumerate(some, first):
                head.write_into(run, at, part)
                end = at + HEAD + len(piece)
                run[at + HEAD : end] = piece
                if self._seal is not None:
                    self._seal.write_into(run, at, end)
                    end += SEAL
                at = end
            yield memoryview(run)[:at], size

    def _gap(self, headers: Mapping[str, str], cut: Cut) -> float:
        """Return for how many seconds to wait between two runs."""
        now = int(headers[wire.SEQ]), float(headers[wire.CAPTURED_AT])
        if self._last is not None:
            frames, seconds = now[0] - self._last[0], now[1] - self._last[1]
            # The numbers of a new epoch begin anew; a clock may be set.
            if frames > 0 and seconds > 0:
                self._interval = seconds / frames
        self._last = now
        runs = -(-cut.parts // _BURST) + -(-cut.groups // _BURST)
        gap = min(self._endpoint.pace * self._interval, _LONGEST) / runs
        return gap if gap >= _LEAST_GAP else 0.0

    def _check(self, end: float) -> None:
        if self._stopped.is_set():
            raise NoReply("stopped while sending", reason="stopped")
        if time.monotonic() > end:
            raise NoReply(f"not sent within {self._deadline:g} s", reason="timeout")

    def _no_reply(self, exc: OSError) -> NoReply:
        if exc.errno == errno.ECONNREFUSED:
            return NoReply("nobody listens there, says its host", reason="connect")
        if exc.errno == errno.EMSGSIZE:
            return NoReply(
                f"packets of {self._endpoint.mtu} bytes are too large for the network; "
                "expected a smaller ?mtu=",
                reason="connect",
            )
        if isinstance(exc, BlockingIOError):
            return NoReply(f"not sent within {self._deadline:g} s", reason="timeout")
        if isinstance(exc, socket.gaierror):
            return NoReply(f"no address for its name ({exc.strerror})", reason="connect")
        return NoReply(f"no way there: {exc.strerror or exc}", reason="connect")
