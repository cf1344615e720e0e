"""Connection: one client's RTSP conversation. For the loop's thread only."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Protocol

from camera.digest import Digest
from camera.faults import Faults
from camera.message import Garbage, Inbox, Refusal, Request, answer
from camera.outlet import InterleavedOutlet, Outlet, UdpOutlet, UdpPorts
from camera.sdp import TRACK
from camera.session import Session
from camera.tally import Tally
from camera.transport import choose

logger = logging.getLogger(__name__)

#: Answers that wait for a client who asks and does not read; beyond, it is cut off.
_MAX_WAITING_BYTES = 4 << 20
_Reply = tuple[Mapping[str, str], str]


class Stage(Protocol):
    """What all connections share; the server gives it to them."""

    digest: Digest
    #: Whether a client has to prove who it is.
    guarded: bool
    faults: Faults
    tally: Tally
    ports: UdpPorts
    #: A client that says nothing for so many seconds is let go.
    timeout: float

    def describe(self, host: str) -> str: ...
    def enter(self, connection: Connection) -> None: ...
    def leave(self, connection: Connection) -> None: ...
    def play(self, connection: Connection) -> None: ...
    def pause(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """Answers requests; holds the one session that a connection may have, which ends with it."""

    def __init__(self, stage: Stage) -> None:
        self.session: Session | None = None
        self.peer = "nobody"
        self.heard_at = time.monotonic()
        #: Where the client's RTCP comes from when it plays over UDP.
        self.rtcp_address: tuple[str, int] | None = None
        self._stage = stage
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None
        self._handlers = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._teardown,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._stage.enter(self)
        # A client that is gone already has no name; it is let go at once.
        if (address := transport.get_extra_info("peername")) is None:
            transport.abort()
            return
        self._host, port = address[:2]
        self.peer = f"{self._host}:{port}"

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_session()
        self._stage.leave(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        if self._stage.faults.silent:
            return
        try:
            for request in self._inbox.feed(data):
                self._write(self._answer(request))
                if self._wire.is_closing():
                    return
        except Garbage as exc:
            logger.info("%s is no RTSP client: %s", self.peer, exc)
            self._write(answer(400, None))
            self._wire.close()

    def abort(self) -> None:
        """Cut the client off; what waits for it is lost."""
        self._wire.abort()

    @property
    def _wire(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _write(self, data: bytes) -> None:
        if self._wire.get_write_buffer_size() > _MAX_WAITING_BYTES:
            self.abort()
        else:
            self._wire.write(data)

    def _answer(self, request: Request) -> bytes:
        try:
            if request.version != "RTSP/1.0":
                raise Refusal(505)
            if request.cseq is None:
                raise Refusal(400)
            self._check_login(request)
            handler = self._handlers.get(request.method)
            if handler is None:
                raise Refusal(501, {"Public": ", ".join(self._handlers)})
            if "require" in request.headers:
                raise Refusal(551, {"Unsupported": request.headers["require"]})
            headers, body = handler(request)
        except Refusal as refusal:
            return answer(refusal.status, request.cseq, refusal.headers)
        return answer(200, request.cseq, headers, body)

    def _check_login(self, request: Request) -> None:
        if not (self._stage.guarded or self._stage.faults.denying):
            return
        if request.method == "OPTIONS" and not self._stage.faults.denying:
            return
        authorization = request.headers.get("authorization")
        if self._stage.faults.denying or not self._stage.digest.accepts(
            authorization, request.method
        ):
            if authorization is not None:
                logger.info("%s: wrong user or password", self.peer)
            raise Refusal(401, {"WWW-Authenticate": self._stage.digest.challenge()})

    def _options(self, request: Request) -> _Reply:
        return {"Public": ", ".join(self._handlers)}, ""

    def _describe(self, request: Request) -> _Reply:
        if self._stage.faults.hiding:
            raise Refusal(404)
        host = self._wire.get_extra_info("sockname")[0]
        base = request.url if request.url.endswith("/") else f"{request.url}/"
        headers = {"Content-Base": base, "Content-Type": "application/sdp"}
        return headers, self._stage.describe(host)

    def _setup(self, request: Request) -> _Reply:
        track = request.url.rstrip("/").rpartition("/")[2]
        if track.startswith("trackID=") and track != TRACK:
            raise Refusal(404)
        if "session" in request.headers:
            if self._named_session(request).playing:
                raise Refusal(455)
        elif self.session is not None:
            raise Refusal(459)
        wish = choose(request.headers.get("transport", ""))
        outlet: Outlet
        if wish.over_tcp:
            outlet = InterleavedOutlet(self._wire, wish.rtp, wish.rtcp)
            self.rtcp_address = None
            transport = f"RTP/AVP/TCP;unicast;interleaved={wish.rtp}-{wish.rtcp}"
        else:
            outlet = UdpOutlet(self._stage.ports, self._host, wish.rtp, wish.rtcp)
            self.rtcp_address = (self._host, wish.rtcp)
            rtp, rtcp = self._stage.ports.numbers
            transport = (
                f"RTP/AVP;unicast;client_port={wish.rtp}-{wish.rtcp};server_port={rtp}-{rtcp}"
            )
        if self.session is None:
            self.session = Session(outlet)
        else:
            self.session.change_outlet(outlet)
        return {"Transport": transport, "Session": self._session_line(self.session)}, ""

    def _play(self, request: Request) -> _Reply:
        session = self._named_session(request)
        if not session.playing:
            session.play()
            self._stage.play(self)
        url = request.url.rstrip("/")
        track = url if url.endswith(TRACK) else f"{url}/{TRACK}"
        headers = {"Range": "npt=now-", "RTP-Info": f"url={track}"}
        return {"Session": self._session_line(session), **headers}, ""

    def _pause(self, request: Request) -> _Reply:
        session = self._named_session(request)
        if not session.playing:
            raise Refusal(455)
        session.pause()
        self._stage.pause(self)
        return {"Session": self._session_line(session)}, ""

    def _teardown(self, request: Request) -> _Reply:
        self._named_session(request)
        self._end_session()
        self._stage.tally.add(teardowns=1)
        return {}, ""

    def _parameter(self, request: Request) -> _Reply:
        """Keep the session alive; there is no parameter to get or set."""
        if "session" in request.headers:
            self._named_session(request)
        if int(request.headers.get("content-length", "0")):
            raise Refusal(451)
        return {}, ""

    def _named_session(self, request: Request) -> Session:
        name = request.headers.get("session", "").partition(";")[0].strip()
        if self.session is None or name != self.session.id:
            raise Refusal(454)
        return self.session

    def _session_line(self, session: Session) -> str:
        return f"{session.id};timeout={self._stage.timeout:.0f}"

    def _end_session(self) -> None:
        if self.session is not None:
            if self.session.playing:
                self._stage.pause(self)
            self.session.close()
            self.session = None
