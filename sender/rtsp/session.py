"""Session: one RTSP conversation with a camera that plays one video track to us."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal
from urllib.parse import urlsplit

from sender.rtsp.conversation import Conversation
from sender.rtsp.flow import Flow
from sender.rtsp.handshake import Handshake
from sender.rtsp.line import Line, look_up
from sender.rtsp.login import Login
from sender.rtsp.message import Garbled, Unusual, write_url
from sender.rtsp.ports import RTCP, RTP, Ports
from sender.rtsp.rtcp import SenderClock
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.sdp import VideoTrack
from sender.rtsp.upkeep import Upkeep, interleave
from sender.rtsp.watch import Watch
from sender.sources.address import Address
from sender.sources.contract import SourceError
from sender.sources.events import Connected, Observe
from sender.sources.interrupt import Interrupt
from sender.sources.trouble import explain

__all__ = ["Session", "Unusual"]

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
#: Seconds that a goodbye may take.
_GOODBYE = 0.2
_TROUBLE = (Garbled, Unusual, OSError, EOFError)


class Session:
    """For one thread, and for one `open`; only the interrupt is set by others.

    Nothing is read ahead: whoever wants the newest packets must receive all the time. With rtsps://
    the camera's certificate is not looked at, because cameras sign their own: so does FFmpeg.
    """

    def __init__(
        self,
        address: Address,
        interrupt: Interrupt,
        *,
        transport: Literal["tcp", "udp"],
        open_timeout: float,
        read_timeout: float,
        name: str,
        observe: Observe | None = None,
    ) -> None:
        """`name` is the camera's in sentences for people; the timeouts are seconds."""
        #: The camera's own time, by what it reports; the track's from `open` on.
        self.clock = SenderClock(90_000)
        self._address = address
        self._interrupt = interrupt
        self._transport = transport
        self._open_timeout = open_timeout
        self._read_timeout = read_timeout
        self._name = name
        self._observe = observe
        self._flow: Flow | None = None
        #: Everything that is to be closed.
        self._opened = ExitStack()

    def open(self) -> VideoTrack:
        """Connect, log in and play, all within `open_timeout`; return what is played.

        Raise SourceError, or Unusual when FFmpeg should have a try. `close` is due either way.
        """
        try:
            return self._open()
        except _TROUBLE as exc:
            trouble = self._explain(exc)
        # Outside the handler: what the server said is to be in no chain.
        try:
            raise trouble
        finally:
            del trouble  # or it would hold this frame, and the frame it, with pictures below

    def receive(self, until: float | None = None) -> RtpPacket | None:
        """Return the track's next packet, as it comes; None when `until` (monotonic) came first.

        Raise SourceError: "timeout" when none came in `read_timeout` seconds of receiving, "ended"
        when the camera ended the stream.
        """
        assert self._flow is not None
        try:
            return self._flow.receive(until)
        except _TROUBLE as exc:
            trouble = self._explain(exc)
        try:
            raise trouble
        finally:
            del trouble  # or it would hold this frame, and the frame it, with pictures below

    def close(self) -> None:
        """Say goodbye, which takes 0.2 s at most, and let go of everything.

        Never raises, and may be called twice and after a failed open.
        """
        self._flow = None
        self._opened.close()

    def _open(self) -> VideoTrack:
        until = time.monotonic() + self._open_timeout
        address, opened = self._address, self._opened
        watch = Watch(self._interrupt)
        opened.callback(watch.close)
        line = Line(watch)
        opened.callback(line.close)
        port = urlsplit(f"//{address.place}").port or _DEFAULT_PORTS[address.scheme]
        found = look_up(address.host, port, self._interrupt, until=until)
        line.connect(found, tls=address.host if address.scheme == "rtsps" else None, until=until)

        if self._observe is not None:
            self._observe(Connected())
        login = Login(address.user, address.password)
        talk = Conversation(line, login, name=self._name, observe=self._observe)
        handshake = Handshake(talk, write_url(address.bare), self._name, until)
        methods = handshake.learn_methods()
        description = handshake.describe()
        track, aggregate = description.video, description.aggregate
        opened.callback(talk.hang_up, aggregate, seconds=_GOODBYE)
        ports, channels, send_report = self._set_up(handshake, track, line, watch)
        handshake.play(aggregate)
        self.clock = SenderClock(track.clock_rate)
        upkeep = Upkeep(
            talk,
            line,
            url=aggregate,
            knows_get_parameter="GET_PARAMETER" in methods,
            send_report=send_report,
            name=self._name,
        )
        self._flow = Flow(
            track,
            line,
            watch=watch,
            talk=talk,
            upkeep=upkeep,
            clock=self.clock,
            channels=channels,
            ports=ports,
            read_timeout=self._read_timeout,
            name=self._name,
            observe=self._observe,
        )
        return track

    def _set_up(
        self, handshake: Handshake, track: VideoTrack, line: Line, watch: Watch
    ) -> tuple[Ports | None, tuple[int, int], Callable[[bytes], None]]:
        """Return where packets come in, on which channels, and what sends reports."""
        if self._transport == "udp":
            ports = Ports(line.local_host, watch)
            self._opened.callback(ports.close)
            handshake.set_up_udp(track, ports, line.peer_host)
            return ports, (RTP, RTCP), ports.report
        rtp, rtcp = handshake.set_up_tcp(track)
        line.inbox.listen_to((rtp, rtcp))
        return None, (rtp, rtcp), lambda report: line.send(interleave(rtcp, report))

    def _explain(self, trouble: Exception) -> SourceError | Unusual:
        """Make a sentence of one of _TROUBLE."""
        if isinstance(trouble, Unusual):
            return Unusual(f"{self._name}: {trouble}")
        if isinstance(trouble, Garbled):
            return SourceError(f"{self._name}: {trouble}", reason="format")
        if isinstance(trouble, ssl.SSLError):
            said = trouble.reason or type(trouble).__name__
            return SourceError(f"{self._name}: no TLS connection ({said})", reason="io")
        return explain(trouble, self._name)
