"""Gate: stands in front of the whole application, and lets in who may do what is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.routing import Map

from receiver.access.dismissal import Dismissal
from receiver.access.needs import Need, Needs
from receiver.access.revocable import RevocableInput, RevocableReply
from shared.access.authorization import is_basic
from shared.access.bearers import Bearers, Stranger
from shared.access.grant import Grant
from shared.access.refusal import Refusal
from shared.access.refusals import Reason, Refusals
from shared.access.tokens import Tokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SAFE = {"GET", "HEAD", "OPTIONS"}


class Gate:
    """A WSGI application in front of the real one, shortcuts and all. Any thread."""

    def __init__(
        self,
        app: WSGIApplication,
        routes: Map,
        *,
        tokens: Tokens,
        bearers: Bearers,
        refusals: Refusals,
    ) -> None:
        """`routes` are those of `app`."""
        self._app = app
        self._needs = Needs(routes)
        self._tokens = tokens
        self._bearers = bearers
        self._dismissal = Dismissal(refusals)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        need = self._needs.of(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        )
        if need.level == "open":
            return self._app(environ, start_response)
        try:
            bearer = self._bearers.identify(
                environ.get("HTTP_AUTHORIZATION"), environ.get("REMOTE_ADDR", "")
            )
        except Stranger as exc:
            refusal = Refusal(429 if exc.wait else 401, exc.reason, str(exc), wait=exc.wait)
            return self._dismissal.answer(refusal, environ, start_response)
        lack = _lack(need, bearer.grant, environ)
        if lack is not None:
            return self._dismissal.answer(lack, environ, start_response)

        def holds() -> bool:
            grant = self._tokens.grant(bearer.digest)
            return grant is not None and _lack(need, grant, environ) is None

        if not environ.get("CONTENT_LENGTH"):  # it may go on for ever
            environ["wsgi.input"] = RevocableInput(environ["wsgi.input"], holds)
        reply = self._app(environ, start_response)
        return reply if isinstance(reply, list) else RevocableReply(reply, holds)


def _lack(need: Need, grant: Grant, environ: WSGIEnvironment) -> Refusal | None:
    """Return why `grant` does not do for `need`; None where it does."""
    reason: Reason
    if need.level != "open" and need.level != "any" and not grant.may(need.level):
        reason = "role"
        sentence = f"the role {need.level}, got {' and '.join(sorted(grant.roles))}"
    elif need.level == "ingest" and not grant.may_bring(need.camera):
        reason = "camera"
        cameras = ", ".join(sorted(grant.cameras or ()))
        got = "a route that names none in its path" if need.camera is None else need.camera[:64]
        sentence = f"frames of camera {cameras}, got {got}"
    elif _is_of_another_site(environ):
        reason = "origin"
        sentence = "a page of this receiver to ask for that, got one of another site"
    else:
        return None
    return Refusal(403, reason, f"token {grant.name}: expected {sentence}")


def _is_of_another_site(environ: WSGIEnvironment) -> bool:
    """Tell whether a browser sends this because a strange page made it do so.

    What it knows of a password, Basic, it adds by itself to whatever any page sends to us. Pages
    cannot read the replies, so only what changes something matters.
    """
    if environ["REQUEST_METHOD"] in _SAFE or not is_basic(environ["HTTP_AUTHORIZATION"]):
        return False
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    # Not said where the receiver's address is neither https nor this machine.
    origin = environ.get("HTTP_ORIGIN")
    is_browser = environ.get("HTTP_USER_AGENT", "").startswith("Mozilla/")
    if origin is None or not is_browser:
        return False
    return bool(origin.partition("://")[2] != environ.get("HTTP_HOST"))
