"""Digest authentication (RFC 2617 with MD5, RFC 7616 with SHA-256), the server's half."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

REALM = "Framepost camera"

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_HASHES: dict[str, Callable[[str], str]] = {"MD5": _md5, "SHA-256": _sha256}


class Digest:
    """Challenge one connection's client, and check what it answers.

    Both algorithms are offered with one nonce. MD5 stands last, because FFmpeg takes the last
    challenge it sees and knows no other; without `qop`, because cameras offer none.
    """

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._nonce = secrets.token_hex(16)

    def challenge(self) -> str:
        """Return the value of WWW-Authenticate, one challenge to a line."""
        base = f'Digest realm="{REALM}", nonce="{self._nonce}"'
        return f"{base}, algorithm=SHA-256\n{base}, algorithm=MD5"

    def accepts(self, authorization: str | None, method: str) -> bool:
        """Return whether the header's value proves that the client knows user and password."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() != "digest":
            return False
        given = {m[1].lower(): _value(m[2], m[3]) for m in _PAIR.finditer(rest)}
        hashed = _HASHES.get(given.get("algorithm", "MD5").upper())
        if hashed is None or not {"username", "uri", "response"} <= given.keys():
            return False
        secret = hashed(f"{self._user}:{REALM}:{self._password}")
        place = hashed(f"{method}:{given['uri']}")
        if given.get("qop") == "auth":
            middle = f"{self._nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:auth"
        else:
            middle = self._nonce
        expected = hashed(f"{secret}:{middle}:{place}")
        # Our nonce is in `expected`, so a proof made for another one fails here too.
        return _same(given["username"], self._user) & _same(given["response"].lower(), expected)


def _value(quoted: str | None, bare: str) -> str:
    """Return a parameter's value; in quotes a backslash hides what follows (RFC 9110, 5.6.4)."""
    return bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
