"""Shortcut: answers frequent requests before Flask, whose share of one is half of its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where the application finds what was raised here, see `raise_again`.
RAISED = "framepost.raised"
#: Where what counts requests finds a request's route, by its rule.
ROUTE = "framepost.route"
#: A status line, headers and the body.
Answer = tuple[str, list[tuple[str, str]], bytes]


class Shortcut:
    """A WSGI application in front of the real one, for requests that some function can answer.

    Whatever else comes is the application's, and so is the answer to what is wrong with a request.
    What the application does before or after each request is not done for one answered here.
    """

    def __init__(
        self,
        app: WSGIApplication,
        answer: Callable[[WSGIEnvironment], Answer | None],
        *,
        route: str,
    ) -> None:
        """`answer` returns None, and has read nothing, where the request is none of its own.

        `route` is the application's rule for what it answers.
        """
        self._app = app
        self._answer = answer
        self._route = route

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except Exception as exc:  # noqa: BLE001  # told as any route's
            environ[RAISED] = exc
            answer = None
        if answer is None:
            return self._app(environ, start_response)
        environ[ROUTE] = self._route
        status, headers, body = answer
        start_response(status, headers)
        # A list, which the server sends in one piece.
        return [body]


def put(
    blueprint: flask.Blueprint,
    answer: Callable[[WSGIEnvironment], Answer | None],
    *,
    route: str,
) -> None:
    """Have `answer` asked before the application that the blueprint is registered with.

    `route` is as Shortcut's.
    """

    def put_in_front(state: flask.blueprints.BlueprintSetupState) -> None:
        app = state.app
        assert isinstance(app, flask.Flask)
        app.wsgi_app = Shortcut(app.wsgi_app, answer, route=route)  # type: ignore[method-assign]

    blueprint.record_once(put_in_front)


def raise_again() -> None:
    """Raise, in a route, what the shortcut raised on its request, if it did."""
    environ = flask.request.environ
    if RAISED in environ:
        # In no variable and no longer there: it would hold itself, and the request, for long.
        raise environ.pop(RAISED)
