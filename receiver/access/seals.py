"""Seals: whose token a datagram was sealed with."""

from __future__ import annotations

from collections.abc import Mapping

from shared.access.grant import Grant
from shared.access.tokens import Tokens
from shared.datagram_seal import Seal


class Seals:
    """The seals of all tokens in force. For one thread."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._made_of: Mapping[bytes, Grant] | None = None
        self._seals: dict[bytes, tuple[Seal, Grant]] = {}

    def find(self, name: bytes) -> tuple[Seal, Grant] | None:
        """Return the seal whose key has that name, and what its bearer may do; None for no such."""
        grants = self._tokens.in_force
        if grants is not self._made_of:
            made = ((Seal(digest), grant) for digest, grant in grants.items())
            self._seals = {seal.name: (seal, grant) for seal, grant in made}
            self._made_of = grants
        return self._seals.get(name)
