"""Conversation: requests and their replies on one line, with numbers, session and login."""

from __future__ import annotations

from collections.abc import Mapping

from sender.rtsp.inbox import Packet
from sender.rtsp.line import Line
from sender.rtsp.login import Login, read_challenges
from sender.rtsp.message import (
    Garbled,
    Reply,
    Request,
    Unusual,
    write_reply,
    write_request,
)
from sender.rtsp.transport import SessionName
from sender.sources.contract import SourceError
from sender.sources.events import Answered, Observe

#: Packets that come before PLAY's reply and are kept; it should come at once.
MAX_EARLY_BYTES = 4 << 20
#: What one of them costs besides its bytes: it may have none.
EARLY_PACKET_BYTES = 200
#: Without a login, with it, and once more when its nonce was too old.
_TRIES = 3
#: What a server may ask of us and gets.
_KNOWN = ("GET_PARAMETER", "OPTIONS", "TEARDOWN")


class Conversation:
    """For one thread. Raises Garbled, what the line raises, and SourceError with `name` in it."""

    def __init__(
        self, line: Line, login: Login, *, name: str, observe: Observe | None = None
    ) -> None:
        #: Sent with every request, once the server gave it.
        self.session: SessionName | None = None
        self._line = line
        self._login = login
        self._name = name
        self._observe = observe
        self._cseq = 0

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, *, until: float
    ) -> Reply:
        """Return the reply, of whatever status but 401.

        Raise TimeoutError at `until`, Unusual when FFmpeg may know how to log in. Packets that come
        in between stay in the line's items.
        """
        for _ in range(_TRIES):
            reply = self._await_reply(self.tell(method, url, headers), until=until)
            challenges = read_challenges(reply.headers.get("www-authenticate", ()))
            if self._observe is not None:
                schemes = tuple(dict.fromkeys(c.scheme for c in challenges))
                self._observe(Answered(reply.status, reply.header("server")[:80], schemes))
            if reply.status != 401:
                self._login.accept()
                return reply
            if self._login.answer(challenges):
                continue
            if self._login.has_user and challenges and all(c.rank is None for c in challenges):
                raise Unusual("it wants a kind of login that only FFmpeg may know")
            break
        raise SourceError(
            f"{self._name}: user name or password refused; "
            "give them in the URL, as USER:PASSWORD@HOST",
            reason="auth",
        )

    def tell(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> int:
        """Send a request and wait for nothing; return its number."""
        self._line.send(self.request(method, url, headers))
        return self._cseq

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the bytes of the next request."""
        self._cseq += 1
        all_headers = {"CSeq": str(self._cseq), "User-Agent": "framepost", **(headers or {})}
        if self.session is not None:
            all_headers["Session"] = self.session.id
        authorization = self._login.authorization(method, url)
        if authorization is not None:
            all_headers["Authorization"] = authorization
        return write_request(method, url, all_headers)

    def hang_up(self, url: str, *, seconds: float) -> None:
        """End the session, if there is one, and the connection, within `seconds`; never raises."""
        if self.session is not None and self._line.is_connected:
            request = self.request("TEARDOWN", url)
            self._line.hang_up(request, cseq=self._cseq, seconds=seconds)
        self._line.close()

    def log_in(self, refusal: Reply) -> bool:
        """Get ready for what a 401 asks for; False when another try is in vain."""
        return self._login.answer(read_challenges(refusal.headers.get("www-authenticate", ())))

    def vouch(self) -> None:
        """Take note that a request which `tell` sent was granted."""
        self._login.accept()

    def answer(self, request: Request) -> None:
        """Answer what the server asks; raise SourceError when it ends the session with that."""
        headers = {"CSeq": request.header("cseq")}
        if self.session is not None:
            headers["Session"] = self.session.id
        if "require" in request.headers:
            headers["Unsupported"] = request.header("require")
            self._line.send(write_reply(551, "Option not supported", headers))
        elif request.method in _KNOWN:
            if request.method == "OPTIONS":
                headers["Public"] = ", ".join(_KNOWN)
            self._line.send(write_reply(200, "OK", headers))
        else:
            self._line.send(write_reply(501, "Not Implemented", headers))
        if request.method in ("REDIRECT", "TEARDOWN"):
            raise SourceError(f"{self._name}: the server ended the session", reason="ended")

    def _await_reply(self, cseq: int, *, until: float) -> Reply:
        """Return the reply with this number; some servers leave the number out."""
        items, early, early_bytes = self._line.items, list[Packet](), 0
        while True:
            self._line.wait(until=until)
            item = items.popleft()
            if isinstance(item, Packet):
                early_bytes += len(item.data) + EARLY_PACKET_BYTES
                if early_bytes <= MAX_EARLY_BYTES:
                    early.append(item)
            elif isinstance(item, Garbled):
                raise item
            elif isinstance(item, Request):
                self.answer(item)
            elif item.status >= 200 and item.cseq in (None, cseq):
                items.extendleft(reversed(early))
                return item
