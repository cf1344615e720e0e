"""Find the picture in a request, whichever of the usual forms a client chose."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import flask
from werkzeug.datastructures import FileStorage
from werkzeug.wsgi import get_content_length

from receiver.base64_text import decode, longest
from receiver.formats import is_picture
from receiver.raw import is_raw
from shared.errors import FrameError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Field names under which programs in the wild send their picture.
FIELDS = ("image", "frame", "file", "img")
#: How much of a body that is too large is read, in pieces of this size.
_MAX_DISCARD = 64 << 20
_PIECE = 1 << 20
#: Of a form or of JSON. A body of nothing but fields takes fifty times its size in memory.
_MAX_FIELDS = 1000


class FrameRequest(flask.Request):
    """A request whose uploads stay in memory: the body's limit bounds them."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


def read_picture(request: flask.Request, *, max_bytes: int) -> bytes:
    """Return the picture's bytes; raise FrameError (400, 411, 413, 415) where there is none.

    Raw bodies, multipart/form-data, base64 in a form field and base64 in JSON are taken.
    `max_bytes` limits the picture; its base64 form may be longer by the third that base64 adds.
    """
    form = request.mimetype
    limit = max_bytes if is_bare(form) else longest(max_bytes)
    body = read_bytes(request.environ, limit=limit)
    picture = (
        _from_multipart(request) if form == "multipart/form-data" else _from_body(request, body)
    )
    if len(picture) > max_bytes:
        raise FrameError(
            f"image: expected at most {max_bytes} bytes, got {len(picture)}",
            status=413,
            reason="too_large",
        )
    return picture


def is_bare(content_type: str) -> bool:
    """Tell whether a Content-Type says that the body is the picture itself."""
    return content_type[:6].lower() == "image/" or is_raw(content_type)


def read_bytes(environ: WSGIEnvironment, *, limit: int) -> bytes:
    """Return the body's bytes as they came; raise FrameError (400, 411, 413).

    It is left to whoever parses the request, too.
    """
    length = get_content_length(environ)
    if length is None:
        raise FrameError(
            "Content-Length: expected the body's length, got none", status=411, reason="length"
        )
    if length > limit:
        discard(environ)
        raise FrameError(
            f"body: expected at most {limit} bytes, got {length}", status=413, reason="too_large"
        )
    # Werkzeug reads pieces of 64 kB, and waits for the server's event loop with each.
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    if len(body) != length:
        raise FrameError(
            f"body: expected {length} bytes, got {len(body)}", status=400, reason="length"
        )
    return body


def discard(environ: WSGIEnvironment) -> None:
    """Read a body that is refused, unless that would take long or may never end.

    A client that still sends when the connection is closed may never see why it was.
    """
    length = get_content_length(environ) or 0
    if length <= _MAX_DISCARD and "HTTP_EXPECT" not in environ:
        while length > 0 and environ["wsgi.input"].read(min(length, _PIECE)):
            length -= _PIECE


def _from_body(request: flask.Request, body: bytes) -> bytes:
    # curl --data-binary calls any body a form; the first bytes know better.
    if is_picture(body) or is_raw(request.mimetype):
        return body
    request.get_data()  # kept for the digest, behind the parsing
    if request.mimetype == "application/x-www-form-urlencoded":
        _check_fields(body, b"&", "a form")
        return _from_form(request)
    if request.mimetype == "application/json":
        _check_fields(body, b",[{", "JSON")
        return _from_json(request)
    return body


def _check_fields(body: bytes, marks: bytes, what: str) -> None:
    """Raise FrameError (400) where `marks` stand between more fields than a picture needs."""
    if sum(map(body.count, marks)) > _MAX_FIELDS:
        raise FrameError(
            f"body: expected {what} with at most {_MAX_FIELDS} fields, one of them the picture",
            status=400,
            reason="form" if what == "a form" else "json",
        )


def _from_multipart(request: flask.Request) -> bytes:
    request.get_data()  # as above
    for name in FIELDS:
        upload: FileStorage | None = request.files.get(name)
        if upload is not None:
            return upload.stream.read()
        if name in request.form:
            return _from_base64(name, request.form[name])
    raise _no_field("a multipart form", [*request.files, *request.form])


def _from_form(request: flask.Request) -> bytes:
    for name in FIELDS:
        if name in request.form:
            return _from_base64(name, request.form[name])
    raise _no_field("a form", list(request.form))


def _from_json(request: flask.Request) -> bytes:
    try:
        content: Any = request.get_json(silent=True)
    except RecursionError:  # a body of brackets
        content = None
    if not isinstance(content, dict):
        raise FrameError(
            'body: expected JSON such as {"image": "<base64>"}', status=400, reason="json"
        )
    for name in FIELDS:
        if isinstance(content.get(name), str):
            return _from_base64(name, content[name])
    raise _no_field("JSON", [str(name) for name in content])


def _from_base64(field: str, text: str) -> bytes:
    if " " in text:
        raise FrameError(
            f"{field}: expected base64, got spaces in it; in a form '+' must be sent as %2B",
            status=400,
            reason="base64",
        )
    try:
        return decode(text.encode("ascii"))
    except ValueError as exc:
        raise FrameError(f"{field}: expected base64 ({exc})", status=400, reason="base64") from None


def _no_field(where: str, got: list[str]) -> FrameError:
    names = ", ".join(repr(name[:40]) for name in got[:8]) or "none"
    return FrameError(
        f"image: expected {where} with a field {', '.join(FIELDS)}, got {names}",
        status=400,
        reason="field",
    )
