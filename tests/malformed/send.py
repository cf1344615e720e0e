"""Send one request as it stands, and say of which class the answer is."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import ExitStack, suppress

from tests.malformed.make import FOLDER, INDEX

#: Without an answer for so long it is "hung", and no class of answer that is right.
_SECONDS = 30.0
#: So long a request that is not whole is left open.
_PATIENCE = 0.5
_MOST = 1 << 20


def load() -> dict[str, tuple[bytes, list[str]]]:
    """Return all requests by name, and the classes of answer that are right."""
    expected = json.loads((FOLDER / INDEX).read_bytes())
    return {
        name: ((FOLDER / f"{name}.http").read_bytes(), right) for name, right in expected.items()
    }


def answer(port: int, sent: bytes, *, tls: ssl.SSLContext | None = None) -> str:
    """Return "2xx" … "5xx", "h2", "alert" (of TLS), "closed" or "hung", or what else came."""
    with ExitStack() as stack:
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), _SECONDS))
        try:
            if tls is not None:
                line = stack.enter_context(tls.wrap_socket(line, server_hostname="127.0.0.1"))
            # A server may refuse, and close, before it has read it all.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                line.sendall(sent)
            line.settimeout(_PATIENCE)
            try:
                got = _read(line)
            except TimeoutError:
                # It waits for more. Only now, for who ends at once may be given no answer.
                line.settimeout(_SECONDS)
                with suppress(OSError):
                    # Not TLS's own, after which nothing would be decrypted any more.
                    socket.socket.shutdown(line, socket.SHUT_WR)
                got = _read(line)
        except TimeoutError:
            return "hung"
        except (ConnectionResetError, ssl.SSLError):
            return "closed"
    if not got:
        return "closed"
    if got.startswith(b"\x15\x03"):
        return "alert"
    if got[3:4] == b"\x04" and not got.startswith(b"HTTP"):
        return "h2"
    head = got.split(b"\r\n", 1)[0].split()
    if got.startswith(b"HTTP/1.") and len(head) > 1 and head[1].isdigit() and len(head[1]) == 3:
        return f"{head[1][:1].decode()}xx"
    return f"nonsense {got[:60]!r}"


def _read(line: socket.socket) -> bytes:
    """Return what comes until the first line is whole, or the end."""
    got = b""
    while b"\r\n" not in got and len(got) < _MOST:
        with suppress(ConnectionResetError):
            piece = line.recv(65536)
            if piece:
                got += piece
                continue
        break
    return got
