"""MJPEG over HTTP: pictures as the parts of a multipart/x-mixed-replace body that goes on."""

from __future__ import annotations

from shared import wire
from shared.view.renditions import P, Rendition

_DELIMITER = b"--framepost\r\n"
CONTENT_TYPE = "multipart/x-mixed-replace; boundary=framepost"


class Multipart:
    """Writes one body. The delimiter follows each picture at once, so that a reader that looks
    for it need not wait for the next picture.

    Chrome's <img> shows a picture only when it has the next one's headers
    (https://crbug.com/527446): with `ahead` these follow at once too. They can then hold nothing
    that is not yet known, such as the length.
    """

    def __init__(self, *, ahead: bool = False) -> None:
        self._ahead = ahead
        self._opening = _DELIMITER
        self._next = b"\r\n" + _DELIMITER
        if ahead:
            headers = b"Content-Type: image/jpeg\r\n\r\n"
            self._opening += headers
            self._next += headers

    def part(self, rendition: Rendition[P]) -> bytes:
        """Return the bytes that show `rendition`: the same object for all viewers, but once."""
        part = rendition.parts.get(self._ahead)
        if part is None:
            headers = b"" if self._ahead else _headers(rendition)
            part = rendition.parts[self._ahead] = headers + rendition.data + self._next
        opening, self._opening = self._opening, b""
        return opening + part if opening else part


def shows_late(user_agent: str, accept: str) -> bool:
    """Tell by a request's headers whether Chrome (or a relative) will show it as a picture.

    A script in Chrome, which can read the parts' headers, asks for */* instead.
    """
    return "Chrome/" in user_agent and "image/" in accept


def _headers(rendition: Rendition[P]) -> bytes:
    frame = rendition.frame
    seq = "" if frame.seq is None else f"{wire.SEQ}: {frame.seq}\r\n"
    return (
        "Content-Type: image/jpeg\r\n"
        f"Content-Length: {len(rendition.data)}\r\n"
        f"{wire.CAPTURED_AT}: {wire.format_time(frame.captured_at)}\r\n"
        f"{seq}\r\n"
    ).encode()
