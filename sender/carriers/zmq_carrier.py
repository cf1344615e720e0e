"""ZmqCarrier: brings frames in imageZMQ's form, to one hub that replies or to all who subscribe.

A hub sees what imageZMQ's own sender sends. Our envelope stands beside its text, in the same JSON,
under a name that only our receiver looks for.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.message import Message
from typing import Any

import numpy as np
import zmq

from sender.carriers.zmq_endpoint import ZmqEndpoint
from shared import json_envelope
from shared.http_client import NoReply, Reply
from shared.zmq_socket import ZmqSocket, ZmqTrouble

#: Under which the envelope stands.
_ENVELOPE = "framepost"
#: Seconds for a connection to come about before the frame is given up, for it grows old.
_CONNECT = 1.0
#: What our receiver replies to a frame that it does not take.
_REFUSAL = re.compile(rb"refused ([45][0-9]{2}) ")
_SIDES = re.compile(r"=([0-9]+)")
_LONGEST_REPLY = 1 << 20
#: So many bytes may wait in the kernel for a slow subscriber: a few frames.
_BUFFER = 1 << 18


class ZmqCarrier:
    """A Client of the poster's: one socket, one frame at a time, each within the deadline.

    After a reply that did not come the socket is opened anew: ZeroMQ's REQ would wait for that
    reply for ever, whatever became of the hub.
    """

    def __init__(
        self,
        endpoint: ZmqEndpoint,
        *,
        deadline: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        self._clock = clock
        self._refused = ""
        self._is_stopped = threading.Event()
        settings: dict[int, int] = {zmq.MAXMSGSIZE: _LONGEST_REPLY}
        if endpoint.is_published:
            # To somebody who is slow PUB drops what is newer than that.
            settings |= {zmq.SNDHWM: 1, zmq.SNDBUF: _BUFFER}
        self._socket = ZmqSocket(
            *(zmq.PUB if endpoint.is_published else zmq.REQ, endpoint.url),
            curve=endpoint.curve,
            settings=settings,
            refused=self._note,
        )

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        """Send `body` with the text `target`; raise NoReply. `sent` is never called."""
        end = self._clock() + self._deadline
        if not self._socket.is_open:
            self._open()
        parts = self._parts(target, body, headers)
        if self._endpoint.is_published:
            self._socket.wait(0.0)  # for those who come
            self._check_stop()
            self._socket.send(*parts)
            return _reply(202, b"")
        self._meet(min(end, self._clock() + _CONNECT))
        try:
            return self._ask(parts, end)
        except NoReply:
            self._socket.close()
            raise

    def interrupt(self) -> None:
        """End a `post` that waits, and every later one, with NoReply; from any thread."""
        self._is_stopped.set()
        self._socket.ring()

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        try:
            self._socket.open()
        except ZmqTrouble as exc:
            raise NoReply(str(exc), reason="connect") from exc

    def _meet(self, end: float) -> None:
        """Wait until there is a connection; raise NoReply.

        What is sent without one ZeroMQ keeps, and sends, old by then, when one comes.
        """
        self._socket.wait(0.0)
        while not self._socket.is_connected:
            self._check_stop()
            left = end - self._clock()
            if left <= 0:
                raise NoReply(self._refused or "nobody takes a connection", reason="connect")
            self._socket.wait(left)
        self._refused = ""

    def _ask(self, parts: tuple[bytes, bytes], end: float) -> Reply:
        """Send to the hub, and wait for its reply as long as the connection is there."""
        losses = self._socket.losses
        self._socket.send(*parts)
        while True:
            self._check_stop()
            left = end - self._clock()
            if left <= 0:
                raise NoReply(f"no reply within {self._deadline:g} s", reason="timeout")
            self._socket.wait(left)
            is_lost = self._socket.losses > losses
            # First, for a hub may end right behind its reply.
            reply = self._socket.receive(1)
            if reply is not None:
                return _read_reply(b"".join(part.bytes for part in reply))
            if is_lost:
                raise NoReply("the connection ended", reason="reset")

    def _check_stop(self) -> None:
        if self._is_stopped.is_set():
            raise NoReply("stopped", reason="stopped")

    def _note(self, why: str) -> None:
        self._refused = why

    def _parts(self, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
        head: dict[str, Any] = {"msg": target}
        if self._endpoint.kind == "image":
            width, height = map(int, _SIDES.findall(headers[json_envelope.MEDIA_TYPE]))
            image = np.frombuffer(body, np.uint8).reshape(height, width, 3)
            head |= {"dtype": "uint8", "shape": image.shape}
            body = image[:, :, ::-1].tobytes()  # OpenCV's order
        head[_ENVELOPE] = json_envelope.to_facts(headers)
        return json.dumps(head, separators=(",", ":")).encode(), body


def _read_reply(text: bytes) -> Reply:
    """Read what a hub says: ours may refuse a frame, and of others any word is a yes."""
    status = 202
    if found := _REFUSAL.match(text):
        return _reply(int(found[1]), text[found.end() :])
    if text.startswith(b'{"state": "refused"'):
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            facts = json.loads(text)
            status = int(facts["status"])
            text = str(facts["error"]).encode()
    return _reply(status if 400 <= status < 600 else 202, text)


def _reply(status: int, words: bytes) -> Reply:
    return Reply(status, Message(), words)
