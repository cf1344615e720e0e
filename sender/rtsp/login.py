"""Login: answers what a server wants to know before it lets somebody in.

Digest (RFC 7616, and RFC 2069 where a server offers no `qop`) and Basic (RFC 7617).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_PART = re.compile(
    r"[\s,]*(?:(?P<name>[\w*-]+)\s*=\s*"
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]*))|(?P<scheme>[\w-]+))',
    re.ASCII,
)
_ESCAPED = re.compile(r"\\(.)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _md5(text: str) -> str:
    return hashlib.md5(_bytes(text), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


#: The better one first. Their "-sess" forms, which no camera is known to want, are left to FFmpeg.
_HASHES: dict[str, Callable[[str], str]] = {"SHA-256": _sha256, "MD5": _md5}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a server offers. Scheme and names of parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        return (self.parameters.get("algorithm") or "MD5").upper()

    @property
    def is_stale(self) -> bool:
        """The password was right, and the nonce too old."""
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def rank(self) -> int | None:
        """Return 0 for the best; None for what we cannot answer."""
        if self.scheme == "basic":
            return len(_HASHES)
        qop = self.parameters.get("qop")
        if self.scheme != "digest" or "nonce" not in self.parameters:
            return None
        if self.algorithm not in _HASHES or (qop and "auth" not in _tokens(qop)):
            return None
        return list(_HASHES).index(self.algorithm)


def read_challenges(values: Sequence[str]) -> list[Challenge]:
    """Read the values of all WWW-Authenticate headers; what is illegible ends its value."""
    return [challenge for value in values for challenge in _read(value)]


class Login:
    """One user's way into one server. For one thread.

    A password is tried once: cameras lock an account after a few wrong ones. Only one that the
    server has taken before, or calls right, is tried again with a newer nonce.
    """

    def __init__(
        self,
        user: str | None,
        password: str | None,
        *,
        make_cnonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._user = user
        self._password = password or ""
        self._make_cnonce = make_cnonce
        self._challenge: Challenge | None = None
        self._count = 0
        self._is_proven = False

    @property
    def has_user(self) -> bool:
        return self._user is not None

    def accept(self) -> None:
        """Take note that the server took a request that `authorization` was sent with."""
        self._is_proven = self._challenge is not None

    def answer(self, challenges: Sequence[Challenge]) -> bool:
        """Get ready to answer the best of `challenges`; False when another try is in vain."""
        known = [(c.rank, n, c) for n, c in enumerate(challenges) if c.rank is not None]
        if self._user is None or not known:
            return False
        best = min(known)[2]
        if (old := self._challenge) is not None:
            is_new = best.parameters.get("nonce") != old.parameters.get("nonce")
            if not (is_new and (best.is_stale or self._is_proven)):
                return False
        self._challenge = best
        self._count = 0
        return True

    def authorization(self, method: str, url: str) -> str | None:
        """Return the value of the header for one request; None while nothing was asked for."""
        if self._challenge is None or self._user is None:
            return None
        if self._challenge.scheme == "basic":
            pair = _bytes(f"{self._user}:{self._password}")
            return f"Basic {base64.b64encode(pair).decode()}"
        return self._digest(self._user, self._challenge, method, url)

    def _digest(self, user: str, challenge: Challenge, method: str, url: str) -> str:
        """RFC 7616, 3.4.1 to 3.4.3."""
        hashed = _HASHES[challenge.algorithm]
        given = challenge.parameters
        realm, nonce = given.get("realm", ""), given["nonce"]
        secret = hashed(f"{user}:{realm}:{self._password}")
        place = hashed(f"{method}:{url}")
        parts = {"username": user, "realm": realm, "nonce": nonce, "uri": url}
        bare = {}
        if given.get("qop"):
            self._count += 1
            count, cnonce = f"{self._count:08x}", self._make_cnonce()
            parts["response"] = hashed(f"{secret}:{nonce}:{count}:{cnonce}:auth:{place}")
            parts["cnonce"] = cnonce
            bare = {"qop": "auth", "nc": count}
        else:
            parts["response"] = hashed(f"{secret}:{nonce}:{place}")
        if "opaque" in given:
            parts["opaque"] = given["opaque"]
        if given.get("algorithm"):
            bare["algorithm"] = given["algorithm"]
        quoted = [f'{name}="{_escape(value)}"' for name, value in parts.items()]
        return "Digest " + ", ".join([*quoted, *(f"{n}={value}" for n, value in bare.items())])


def _read(value: str) -> Iterator[Challenge]:
    scheme, parameters, at = "", dict[str, str](), 0
    while (part := _PART.match(value, at)) is not None:
        at = part.end()
        if part["scheme"]:
            if scheme:
                yield Challenge(scheme, parameters)
            scheme, parameters = part["scheme"].lower(), {}
        else:
            quoted = part["quoted"]
            text = part["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            parameters.setdefault(part["name"].lower(), text)
    if scheme:
        yield Challenge(scheme, parameters)


def _bytes(text: str) -> bytes:
    """UTF-8, or the bytes that a command line had instead."""
    return text.encode("utf-8", "surrogateescape")


def _tokens(text: str) -> list[str]:
    return [token.strip().lower() for token in text.split(",")]


def _escape(text: str) -> str:
    return _CONTROL.sub("", text).replace("\\", r"\\").replace('"', r"\"")
