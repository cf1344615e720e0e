"""Guard: lets at the pictures who may see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.access.bearers import Bearers, Stranger
from shared.access.grant import Grant, Token
from shared.access.hosts import Hosts
from shared.access.refusal import Refusal
from shared.access.refusals import Refusals
from shared.access.tokens import Tokens, digest_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: For everybody: supervisors, Prometheus, people who look for what is wrong. No picture is there.
OPEN = frozenset({"/healthz", "/metrics", "/status"})
#: What the page is made of: a browser that has the password in the page's address brings none here.
_FILES = "/static/"
_GRANT = Grant(name="SENDER_VIEW_TOKEN", roles=frozenset({"view"}))


class Guard:
    """A WSGI application in front of the real one. Any thread.

    With a token, who brings it is let in. Without one everybody who comes from this machine is,
    with a name that is ours (see `shared.access.hosts`); and beyond this machine nobody, unless the
    settings say so.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        token: str | None,
        is_exposed: bool,
        refusals: Refusals,
    ) -> None:
        """`is_exposed`: other machines may come, and nothing was said of whether they may see."""
        self._app = app
        self._is_exposed = is_exposed
        self._refusals = refusals
        self._bearers = None
        if token is not None:
            self._bearers = Bearers(Tokens([Token(digest=digest_of(token), grant=_GRANT)]))
        remedy = "any name once SENDER_VIEW_TOKEN is set"
        self._hosts = Hosts(app, (), refusals=refusals, remedy=remedy)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in OPEN or path.startswith(_FILES):
            return self._app(environ, start_response)
        if self._bearers is None and not self._is_exposed:
            return self._hosts(environ, start_response)
        refusal = self._refusal(environ)
        if refusal is None:
            return self._app(environ, start_response)
        # So players and browsers begin that have a password, and then come again with it.
        is_usual = refusal.status == 401 and refusal.reason == "missing"
        self._refusals.happened(
            environ.get("REMOTE_ADDR", "an unknown address"),
            refusal.reason,
            f"{environ['REQUEST_METHOD'][:16]} {path[:200]!a}: {refusal.detail}",
            quiet=is_usual,
        )
        return refusal.response(environ)(environ, start_response)

    def _refusal(self, environ: WSGIEnvironment) -> Refusal | None:
        if self._bearers is None:
            sentence = (
                "pictures: expected SENDER_VIEW_TOKEN to be set where SENDER_STATUS_HOST is not"
                " this machine alone, got none; or --insecure if everybody may see them"
            )
            return Refusal(403, "missing", sentence)
        try:
            self._bearers.identify(
                environ.get("HTTP_AUTHORIZATION"), environ.get("REMOTE_ADDR", "")
            )
        except Stranger as exc:
            return Refusal(429 if exc.wait else 401, exc.reason, str(exc), wait=exc.wait)
        return None
