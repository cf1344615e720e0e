"""Seal: what proves that a datagram comes from one who has a token, and came as it was sent.

HMAC (RFC 2104) with SHA-256, of which the first 16 bytes are sent (RFC 2104, section 5). It keeps
nothing secret but the token. The key is made of the token's SHA-256, which is what a receiver has.
"""

from __future__ import annotations

import hashlib
import hmac

_NAME, _CODE = 8, 16
#: Bytes behind each piece: the key's name and the code.
SEAL = _NAME + _CODE


class Seal:
    """One token's. `name` is that of the key in a datagram; nobody finds the token by it."""

    def __init__(self, token_digest: bytes) -> None:
        """`token_digest` is the token's SHA-256."""
        self.name = hmac.digest(token_digest, b"framepost udp 1 name", "sha256")[:_NAME]
        self._key = hmac.digest(token_digest, b"framepost udp 1 key", "sha256")

    @classmethod
    def of(cls, token: str) -> Seal:
        return cls(hashlib.sha256(token.encode()).digest())

    def write_into(self, buffer: bytearray, begin: int, end: int) -> None:
        """Seal the bytes from `begin` to `end`; the seal goes behind them."""
        code = self._code(memoryview(buffer)[begin:end])
        buffer[end : end + SEAL] = self.name + code

    def fits(self, datagram: bytes | bytearray | memoryview) -> bool:
        """Tell whether it was sealed with this key; however wrong it is, that takes as long."""
        return hmac.compare_digest(self._code(datagram[:-SEAL]), bytes(datagram[-_CODE:]))

    def _code(self, data: bytes | bytearray | memoryview) -> bytes:
        return hmac.digest(self._key, data, "sha256")[:_CODE]


def name_in(datagram: bytes | bytearray | memoryview) -> bytes:
    """Return the name of the key that a sealed datagram says it was sealed with."""
    return bytes(datagram[-SEAL:-_CODE])
