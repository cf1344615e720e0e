"""Tokens: those in force, and whose a token is that came."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from shared.access.grant import Grant, Token

#: Characters. So many random ones of base64 are 96 bits, which nobody guesses.
SHORTEST, LONGEST = 16, 256
#: What a token is, for an error.
FORM = f"{SHORTEST} to {LONGEST} printable ASCII characters without spaces"


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def is_token(text: str) -> bool:
    """Tell whether `text` may be a token: printable ASCII without spaces, neither short nor long.

    A short one is never taken, not even where a file has its digest.
    """
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return is_plain and SHORTEST <= len(text) <= LONGEST


class Tokens:
    """The tokens of the settings and of the file, which may change. Any thread."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._grants: dict[bytes, Grant] = {}
        self.replace(tokens)

    def replace(self, tokens: Iterable[Token]) -> None:
        """Have these in force from now on, and no others."""
        self._grants = {token.digest: token.grant for token in tokens}

    @property
    def in_force(self) -> Mapping[bytes, Grant]:
        """The grants by their tokens' digests: never changed, but replaced by another."""
        return self._grants

    def find(self, token: str) -> bytes | None:
        """Return the digest under which `grant` knows the token; None for a wrong one.

        It takes as long for one as for the other, whichever token of how many is meant.
        """
        digest, found = digest_of(token), None
        for known in self._grants:
            if hmac.compare_digest(digest, known):
                found = known
        return found if is_token(token) else None

    def grant(self, digest: bytes) -> Grant | None:
        """Return what goes with a digest that `find` returned; None if it is in force no more."""
        return self._grants.get(digest)
