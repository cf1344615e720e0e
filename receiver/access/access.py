"""Access: the tokens of one program, the gate that asks for them, and the route that tells."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import flask

from receiver.access.gate import Gate
from receiver.access.limits import Limits
from receiver.access.proxies import Proxies
from receiver.access.token_watch import TokenWatch
from shared.access.bearers import Bearers, Stranger
from shared.access.grant import Grant, Token
from shared.access.hosts import Hosts
from shared.access.refusals import Refusals
from shared.access.tokens import Tokens, digest_of

#: What everybody may who may do anything.
_EVERYTHING = Grant(name="everybody", roles=frozenset({"admin"}))
_NOTHING = Grant(name="nobody", roles=frozenset(), cameras=frozenset())


class Access:
    """Without any token all is open to who calls the receiver by a name of its own."""

    def __init__(
        self,
        token: str | None = None,
        file: Path | None = None,
        *,
        allow_hosts: Collection[str] = (),
        requests: float | None = None,
        frames: float | None = None,
        proxies: Collection[str] = (),
    ) -> None:
        """`token` may do everything; `file` holds more, see `token_file`. `allow_hosts` are public
        names that count where there are no tokens, see `hosts`. So many `requests` and
        `frames` a second may come from one address, see `limits`, which `proxies` may say.
        """
        grant = Grant(name="RECEIVER_TOKEN", roles=frozenset({"admin"}))
        fixed = [] if token is None else [Token(digest=digest_of(token), grant=grant)]
        self.required = bool(fixed) or file is not None
        self._tokens = Tokens(fixed)
        self._watch = None if file is None else TokenWatch(file, self._tokens, fixed=fixed)
        self._bearers = Bearers(self._tokens)
        self._allow_hosts = allow_hosts
        self._requests = requests
        self._frames = frames
        self._proxies = proxies
        self.refusals = Refusals()

    @property
    def tokens(self) -> Tokens | None:
        """The tokens of which one is needed; None where none is."""
        return self._tokens if self.required else None

    def guard(self, app: flask.Flask) -> None:
        """Put the gate in front of `app`, which has all its routes and shortcuts by now."""
        if self.required:
            app.wsgi_app = Gate(  # type: ignore[method-assign]
                app.wsgi_app,
                app.url_map,
                tokens=self._tokens,
                bearers=self._bearers,
                refusals=self.refusals,
            )
        else:
            app.wsgi_app = Hosts(  # type: ignore[method-assign]
                app.wsgi_app, self._allow_hosts, refusals=self.refusals
            )
        if self._requests is not None or self._frames is not None:
            app.wsgi_app = Limits(  # type: ignore[method-assign]
                app.wsgi_app,
                app.url_map,
                requests=self._requests,
                frames=self._frames,
                refusals=self.refusals,
            )
        if self._proxies:
            app.wsgi_app = Proxies(app.wsgi_app, self._proxies)  # type: ignore[method-assign]

    def start(self) -> None:
        if self._watch is not None:
            self._watch.start()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    @property
    def error(self) -> BaseException | None:
        """What ended the thread, if something did."""
        return None if self._watch is None else self._watch.error

    def blueprint(self) -> flask.Blueprint:
        """Return the route that says what the token that came is good for."""
        bp = flask.Blueprint("access", __name__)

        @bp.get("/access")
        def get_access() -> flask.Response:
            """Whether a token is needed, and what the one that came may do."""
            wait, grant = 0, _NOTHING if self.required else _EVERYTHING
            if self.required and "Authorization" in flask.request.headers:
                environ = flask.request.environ
                address = environ.get("REMOTE_ADDR", "")
                try:
                    bearer = self._bearers.identify(environ["HTTP_AUTHORIZATION"], address)
                    grant = bearer.grant
                except Stranger as exc:
                    wait = exc.wait
                    self.refusals.happened(address, exc.reason, f"GET /access: {exc}")
            response = flask.jsonify(required=self.required, **grant.facts())
            response.headers["Cache-Control"] = "no-store"
            if wait:
                response.headers["Retry-After"] = str(wait)
            return response

        return bp
