"""Grant: what the bearer of a token may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

#: Bring frames and take their results; see pictures, results and numbers; all, and give orders.
Role = Literal["ingest", "view", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The rights that go with one token. `name` is what people call the token, never itself."""

    name: str
    roles: frozenset[Role]
    #: Whose frames it may bring; None for those of every camera.
    cameras: frozenset[str] | None = None

    def may(self, role: Role) -> bool:
        return role in self.roles or "admin" in self.roles

    def may_bring(self, camera: str | None) -> bool:
        """Tell whether frames of `camera` may come; None for one that is not known yet."""
        return self.cameras is None or camera in self.cameras

    def facts(self) -> dict[str, Any]:
        """Return what its bearer is told, JSON-able: the roles with all that they include."""
        return {
            "roles": [role for role in ROLES if self.may(role)],
            "cameras": None if self.cameras is None else sorted(self.cameras),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token's SHA-256, which is all that is kept of it, and its grant."""

    digest: bytes = field(repr=False)
    grant: Grant
