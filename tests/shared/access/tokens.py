"""Tokens for tests, one for each kind of grant, and the headers that bring them."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from shared.access.grant import Grant, Role, Token
from shared.access.tokens import digest_of

#: By the name of their grant.
SECRETS = {
    "ingest": "ingest-0123456789",
    "door": "door-only-0123456789",
    "view": "view-:@/%?#-0123456789",
    "both": "ingest-and-view-0123456789",
    "admin": "admin-0123456789",
}


def grant(name: str, *roles: Role, cameras: Iterable[str] | None = None) -> Grant:
    limited = None if cameras is None else frozenset(cameras)
    return Grant(name=name, roles=frozenset(roles), cameras=limited)


GRANTS = (
    grant("ingest", "ingest"),
    grant("door", "ingest", cameras=["door"]),
    grant("view", "view"),
    grant("both", "ingest", "view"),
    grant("admin", "admin"),
)
GRANTED = [Token(digest=digest_of(SECRETS[each.name]), grant=each) for each in GRANTS]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str, user: str = "x") -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}
