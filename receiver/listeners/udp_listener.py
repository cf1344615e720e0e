"""UdpListener: takes frames that come in datagrams, and gives them to the desk."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

from receiver.access.seals import Seals
from receiver.desk import Desk
from receiver.listeners import assembly
from receiver.listeners.assembly import Assembly, Whole
from receiver.listeners.contract import ListenerStatus
from receiver.listeners.udp_place import UdpPlace
from receiver.listeners.udp_socket import UdpSocket
from shared import json_envelope, redis_envelope, wire
from shared.access.grant import Grant
from shared.backoff import Backoff
from shared.datagram import HEAD, BadDatagram, Flaw, Head, ahead, payload_of, read_head, time_of
from shared.datagram_body import OVERHEAD, Body
from shared.datagram_seal import SEAL, name_in
from shared.errors import FrameError, FramepostError
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

_CEILING = 5.0
#: Seconds between two looks at what the kernel dropped, and what nothing comes for any more.
_LOOK = 0.5
#: Seconds without the like before it is told of again.
_SETTLE = 30.0
#: All that is begun may take so many largest frames.
_HELD = 4

#: unsealed: without a seal where one is needed · forged: with none that is known · stale: sealed,
#: but of another time · forbidden: by a token that brings no frames.
Denial = Literal["unsealed", "forged", "stale", "forbidden"]
Outcome = Literal["taken", "refused"] | assembly.Loss
Datagram = Denial | Flaw | assembly.Datagram | Literal["dropped"]


class Denied(FramepostError):
    """Raised for a datagram of somebody who may not bring it."""

    def __init__(self, message: str, *, reason: Denial) -> None:
        super().__init__(message)
        self.reason: Denial = reason


class UdpListener(Worker):
    """Nobody is answered. An address that is not to be had is waited for, in growing pauses.

    What a datagram claims costs no memory; with `seals`, of a datagram without a right one nothing
    is kept. What is joined is checked as a POST is.
    """

    def __init__(
        self,
        place: UdpPlace,
        desk: Desk,
        *,
        max_bytes: int,
        seals: Seals | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` is Unix seconds."""
        super().__init__(f"listener {place.shown}")
        self._place = place
        self._desk = desk
        self._max_bytes = max_bytes
        self._seals = seals
        self._backoff = backoff or Backoff(0.25, _CEILING)
        self._clock = clock
        self._now = now
        self._trouble = Trouble(self.name, over="listens again", logger=logger, clock=clock)
        self._refusals = Trouble(
            self.name, over="all is taken", logger=logger, settle=_SETTLE, clock=clock
        )
        self._assembly = Assembly(max_held=_HELD * (max_bytes + OVERHEAD), clock=clock)
        self._socket: UdpSocket | None = None
        self._opened = 0
        self._looked = clock()
        self._dropped = self._dropped_before = 0
        self._frames: Counter[Outcome] = Counter()
        self._datagrams: Counter[Datagram] = Counter()

    @property
    def port(self) -> int | None:
        """The port while it listens."""
        return None if self._socket is None else self._socket.port

    def step(self) -> None:
        """Take what is there, or wait a moment; open where that is to be done."""
        if self._socket is None and not self._open():
            return
        assert self._socket is not None
        for datagram, address in self._socket.read():
            self._take(datagram, address)
        if self._clock() - self._looked >= _LOOK:
            self._look()

    def close(self) -> None:
        if self._socket is not None:
            self._look()
            self._dropped_before += self._dropped
            self._socket.close()
            self._socket = None

    def status(self) -> ListenerStatus:
        dropped = self._dropped_before + self._dropped
        return ListenerStatus(
            url=self._place.shown,
            topic="",
            is_up=self._socket is not None,
            reconnects=max(0, self._opened - 1),
            outcomes={**self._frames, **self._assembly.losses},
            datagrams={**self._datagrams, **self._assembly.datagrams, "dropped": dropped},
            repaired=self._assembly.repaired,
        )

    def _open(self) -> bool:
        try:
            self._socket = UdpSocket(self._place)
        except OSError as exc:
            self._trouble.happened("bind", f"cannot listen ({exc.strerror or exc}); trying again")
            self.pause(self._backoff.next())
            return False
        self._backoff.reset()
        self._trouble.worked()
        self._opened += 1
        self._dropped = 0
        logger.info("%s: listening", self.name)
        return True

    def _look(self) -> None:
        assert self._socket is not None
        self._looked = self._clock()
        self._assembly.sweep()
        dropped = self._socket.dropped()
        if dropped > self._dropped:
            self._refusals.happened(
                "dropped",
                f"{dropped - self._dropped} datagrams were lost here, for they came faster than "
                f"they are taken and {self._socket.room} bytes of them wait at most; "
                "is sysctl net.core.rmem_max larger?",
            )
        self._dropped = dropped
        self._refusals.worked()

    def _take(self, datagram: memoryview, address: str) -> None:
        try:
            head = read_head(datagram, max_length=self._max_bytes + OVERHEAD)
            grant, key = self._identify(head, datagram)
            payload = payload_of(head, datagram, behind=SEAL if head.is_sealed else 0)
        except (BadDatagram, Denied) as exc:
            self._datagrams[exc.reason] += 1
            self._refusals.happened(exc.reason, f"a datagram from {address} is left alone: {exc}")
            return
        whole = self._assembly.put(head, payload, key=key)
        if whole is not None:
            self._deliver(whole, grant, address)

    def _identify(self, head: Head, datagram: memoryview) -> tuple[Grant | None, bytes]:
        """Return what the one may do whose seal is on it, and the seal's name; raise Denied."""
        if self._seals is None:
            return None, b""
        if not head.is_sealed or len(datagram) < HEAD + SEAL:
            raise Denied("expected one that is sealed with a token, got no seal", reason="unsealed")
        name = name_in(datagram)
        found = self._seals.find(name)
        if found is None or not found[0].fits(datagram):
            raise Denied("expected the seal of a token that is known here", reason="forged")
        grant = found[1]
        off = ahead(head.time, time_of(self._now())) / 1000
        if abs(off) > self._place.skew:
            raise Denied(
                f"expected its time to be within {self._place.skew} s of ours, got {off:+.1f} s; "
                "are both clocks set?",
                reason="stale",
            )
        if not grant.may("ingest"):
            roles = " and ".join(sorted(grant.roles))
            raise Denied(
                f"token {grant.name}: expected the role ingest, got {roles}", reason="forbidden"
            )
        return grant, name

    def _deliver(self, whole: Whole, grant: Grant | None, address: str) -> None:
        body = whole.body
        try:
            with self._desk.counting_refusals(body.camera):
                self._give(body, grant)
        except FrameError as exc:
            self._frames["refused"] += 1
            if not self.stopping:
                self._refusals.happened(exc.reason, f"a frame from {address} is refused: {exc}")
            return
        self._frames["taken"] += 1
        whole.taken()

    def _give(self, body: Body, grant: Grant | None) -> None:
        """Give the frame to the desk; raise FrameError."""
        if grant is not None and not grant.may_bring(body.camera):
            cameras = ", ".join(sorted(grant.cameras or ()))
            raise FrameError(
                f"token {grant.name}: expected frames of camera {cameras}, got {body.camera}",
                status=403,
                reason="camera",
            )
        if len(body.picture) > self._max_bytes:
            raise FrameError(
                f"image: expected at most {self._max_bytes} bytes, got {len(body.picture)}",
                status=413,
                reason="too_large",
            )
        headers = redis_envelope.read(body.envelope, length=len(body.picture))
        envelope = wire.from_headers(headers)
        wire.check_digest(envelope, body.picture)
        media_type = headers.get(json_envelope.MEDIA_TYPE, "")
        self._desk.take(body.camera, body.picture, envelope, media_type=media_type)
