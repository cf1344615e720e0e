"""A camera of which a test decides what it says, and doubles for what is around a session."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from sender.rtsp.rtp import RtpPacket
from sender.rtsp.session import Session, Unusual
from sender.sources.address import parse
from sender.sources.contract import SourceError
from sender.sources.interrupt import Interrupt
from tests.sender.doubles import RawServer

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track\r\n"
SSRC = 7


@dataclass(frozen=True)
class Asked:
    """A request; names of headers are in lower case."""

    method: str
    url: str
    headers: dict[str, str]


class Wire:
    """One connection, the camera's end of it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        #: The packets that came from the client, with their channels.
        self.packets: list[tuple[int, bytes]] = []

    def send(self, *pieces: bytes) -> None:
        self._connection.sendall(b"".join(pieces))

    def reply(self, asked: Asked, status: str = "200 OK", *headers: str, body: bytes = b"") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {asked.headers['cseq']}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode(), body)

    def next(self) -> Asked | None:
        """Return the next request, None at the end; packets and replies are put aside."""
        while first := self._file.read(1):
            if first == b"$":
                channel, length = struct.unpack(">BH", self._file.read(3))
                self.packets.append((channel, self._file.read(length)))
                continue
            line = (first + self._file.readline()).decode().strip()
            headers = {}
            while field := self._file.readline().decode().strip():
                name, _, value = field.partition(":")
                headers[name.lower()] = value.strip()
            method, url, _ = line.split(" ", 2)
            return Asked(method, url, headers)
        return None

    def close(self) -> None:
        self._file.close()


Handle = Callable[[Wire, Asked], object]


class ScriptedCamera(RawServer):
    """Answers as cameras do, except where `on` says otherwise for a method; keeps what it heard.

    What the client answers to requests stands in `asked` too, with RTSP/1.0 as its method.
    """

    def __init__(
        self,
        on: Mapping[str, Handle] | None = None,
        *,
        sdp: bytes = SDP,
        session: str = "abc",
        prepare: Callable[[socket.socket], socket.socket] = lambda connection: connection,
    ) -> None:
        super().__init__(self._serve)
        self.on = dict(on or {})
        self._sdp = sdp
        self._session = session
        self._prepare = prepare
        self._heard = threading.Condition()
        self.asked: list[Asked] = []
        self.wires: list[Wire] = []

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    def wait_for(self, method: str, count: int = 1) -> Asked:
        """Return the request of this method that is number `count`, when it came."""

        def found() -> list[Asked]:
            return [asked for asked in self.asked if asked.method == method]

        with self._heard:
            assert self._heard.wait_for(lambda: len(found()) >= count, 30), self.methods()
        return found()[count - 1]

    def _serve(self, connection: socket.socket, _number: int) -> None:
        connection = self._prepare(connection)
        wire = Wire(connection)
        self.wires.append(wire)
        try:
            while (asked := wire.next()) is not None:
                with self._heard:
                    self.asked.append(asked)
                    self._heard.notify_all()
                handle = self.on.get(asked.method)
                if handle is not None:
                    handle(wire, asked)
                elif not asked.method.startswith("RTSP/"):
                    answer(wire, asked, sdp=self._sdp, session=self._session)
        finally:
            wire.close()
            connection.close()


def answer(wire: Wire, asked: Asked, *, sdp: bytes = SDP, session: str = "abc") -> None:
    """Answer as cameras do."""
    match asked.method:
        case "OPTIONS":
            wire.reply(asked, "200 OK", "Public: OPTIONS, DESCRIBE", "Public: get_parameter")
        case "DESCRIBE":
            wire.reply(asked, body=sdp)
        case "SETUP":
            transport = f"Transport: {asked.headers['transport']}"
            wire.reply(asked, "200 OK", f"Session: {session}", transport)
        case _:
            wire.reply(asked)


def rtp(
    seq: int = 0,
    *,
    timestamp: int = 0,
    payload_type: int = 96,
    ssrc: int = SSRC,
    payload: bytes = b"x",
) -> bytes:
    return struct.pack(">BBHII", 0x80, payload_type, seq, timestamp, ssrc) + payload


def sender_report(unix: float, timestamp: int, *, ssrc: int = SSRC) -> bytes:
    ntp = int((unix + 2_208_988_800) * 2**32)
    return struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp, 0, 0)


def bye(ssrc: int = SSRC) -> bytes:
    return struct.pack(">BBHI", 0x81, 203, 1, ssrc)


def interleaved(data: bytes, channel: int = 0) -> bytes:
    return struct.pack(">cBH", b"$", channel, len(data)) + data


def session(
    url: str,
    *,
    transport: str = "tcp",
    interrupt: Interrupt | None = None,
    open_timeout: float = 5.0,
    read_timeout: float = 5.0,
) -> Session:
    address = parse(url)
    return Session(
        address,
        interrupt or Interrupt(),
        transport="udp" if transport == "udp" else "tcp",
        open_timeout=open_timeout,
        read_timeout=read_timeout,
        name=address.shown,
    )


@contextmanager
def opened(url: str, **options: object) -> Iterator[Session]:
    made = session(url, **options)  # type: ignore[arg-type]
    try:
        made.open()
        yield made
    finally:
        made.close()


def packet(made: Session) -> RtpPacket:
    found = made.receive()
    assert found is not None
    return found


def failure(made: Session, do: Callable[[Session], object] = Session.open) -> SourceError:
    """Return what `do` raises, which holds nothing of what the server said, then close."""

    def keep_on() -> None:
        while True:
            do(made)

    with pytest.raises(SourceError) as caught:
        keep_on()
    made.close()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def unusual(made: Session) -> str:
    with pytest.raises(Unusual) as caught:
        made.open()
    made.close()
    assert caught.value.__context__ is None
    return str(caught.value)


def refusing(status: str, *headers: str) -> Handle:
    return lambda wire, asked: wire.reply(asked, status, *headers)


def playing(*media: bytes) -> Handle:
    """Return how PLAY is granted and then followed by `media`."""

    def play(wire: Wire, asked: Asked) -> None:
        wire.reply(asked)
        wire.send(*media)

    return play


@contextmanager
def receiving(made: Session) -> Iterator[list[SourceError]]:
    """Receive on a thread of its own, until interrupted; give what it raised in the end."""
    errors: list[SourceError] = []

    def receive() -> None:
        try:
            while True:
                made.receive()
        except SourceError as exc:
            errors.append(exc)

    thread = threading.Thread(target=receive)
    thread.start()
    try:
        yield errors
    finally:
        made._interrupt.set()
        thread.join()


def guarded(
    challenge: str, *, grants: Callable[[str], bool] = bool, session: str = "abc"
) -> dict[str, Handle]:
    """Return how a camera asks for a login in every request, and whom it lets in."""

    def check(wire: Wire, asked: Asked) -> None:
        if grants(asked.headers.get("authorization", "")):
            answer(wire, asked, session=session)
        else:
            wire.reply(asked, "401 Unauthorized", f"WWW-Authenticate: {challenge}")

    return dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"), check)


def with_login(url: str) -> str:
    return url.replace("rtsp://", "rtsp://admin:wrong-secret@")
