"""Bearers: finds out whose token a request brings, and lets nobody try tokens at will."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from shared.access.authorization import read_token
from shared.access.grant import Grant
from shared.access.guesses import Guesses
from shared.access.network import network_of
from shared.access.refusals import Reason
from shared.access.tokens import Tokens
from shared.errors import FramepostError

#: Headers that were right once.
_PROVED = 1024


class Stranger(FramepostError):
    """Raised for a request that brings no token that counts; the message says what came.

    `wait`: come again after so many seconds, 0 where that is no help.
    """

    def __init__(self, message: str, *, reason: Reason, wait: int = 0) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token came, and the digest by which `Tokens.grant` says whether it still counts."""

    digest: bytes
    grant: Grant


class Bearers:
    """Any thread.

    A header that was right before is known again by its digest, which is keyed: nobody outside can
    find out anything by how long that takes. And guesses that others make from the same address
    never keep it out.
    """

    def __init__(self, tokens: Tokens, *, guesses: Guesses | None = None) -> None:
        self._tokens = tokens
        self._guesses = Guesses() if guesses is None else guesses  # an empty one is false
        self._key = secrets.token_bytes(32)
        #: From the digest of a header to that of its token.
        self._proved: dict[bytes, bytes] = {}

    def identify(self, header: str | None, address: str) -> Bearer:
        """Return whose token the Authorization header of a request from `address` brings.

        Raise Stranger.
        """
        if header is None:
            raise Stranger(
                "token: expected one in the header Authorization, got none", reason="missing"
            )
        text = header.encode(errors="surrogatepass")
        key = hashlib.blake2b(text, digest_size=16, key=self._key).digest()
        digest = self._proved.get(key)
        grant = None if digest is None else self._tokens.grant(digest)
        if digest is None or grant is None:
            return self._look_up(header, key, network_of(address))
        return Bearer(digest, grant)

    def _look_up(self, header: str, key: bytes, network: str) -> Bearer:
        token = read_token(header)
        if token is None:
            raise Stranger(
                "Authorization: expected 'Bearer TOKEN', or Basic with the token as the password",
                reason="malformed",
            )
        if not self._guesses.take(network, key):
            wait = self._guesses.wait(network)
            raise Stranger(
                f"token: too many wrong ones came from this address; try again in {wait} s",
                reason="limited",
                wait=wait,
            )
        digest = self._tokens.find(token)
        grant = None if digest is None else self._tokens.grant(digest)
        if digest is None or grant is None:
            raise Stranger("token: expected one that is known here, got another", reason="unknown")
        self._guesses.give_back(network, key)
        while len(self._proved) >= _PROVED:
            # Another thread may do the same.
            self._proved.pop(next(iter(self._proved.copy()), b""), None)
        self._proved[key] = digest
        return Bearer(digest, grant)
