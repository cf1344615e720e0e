"""The file of tokens: a YAML list, one mapping for each.

- {name: door-sender, role: ingest, cameras: [door], token: ...}
- {name: wall, role: [ingest, view], token_sha256: the token's SHA-256 in hexadecimal digits}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shared.access.grant import ROLES, Grant, Token
from shared.access.tokens import FORM, digest_of, is_token
from shared.errors import ConfigError
from shared.frame import CAMERA_NAME
from shared.settings import load_yaml

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_KEYS = ("name", "role", "cameras", "token", "token_sha256")


def read_tokens(path: Path) -> list[Token]:
    """Return the file's tokens; raise ConfigError with a sentence for each thing that is wrong.

    No sentence holds a token, nor what stands where one should.
    """
    entries = load_yaml(path)
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: expected a list of tokens, each with name, role and token")
    problems: list[str] = []
    tokens = []
    names: dict[str, int] = {}
    digests: dict[bytes, str] = {}
    for number, entry in enumerate(entries, 1):

        def tell(key: str, sentence: str, number: int = number) -> None:
            problems.append(f"{path}: entry {number}{key and ', '}{key}: {sentence}")

        token = _read(entry, tell)
        if token is None:
            continue
        name = token.grant.name
        if names.setdefault(name, number) != number:
            tell("name", f"expected a name of its own, got {name!r} again")
        if digests.setdefault(token.digest, name) != name:
            tell("token", f"expected one of its own, got that of {digests[token.digest]}")
        tokens.append(token)
    if problems:
        raise ConfigError(*problems)
    return tokens


_Tell = Callable[[str, str], None]


def _read(entry: Any, tell: _Tell) -> Token | None:
    """Return the entry's token; None, and `tell` what is wrong, if something is."""
    if not isinstance(entry, dict):
        tell("", "expected name, role and token as 'name: value'")
        return None
    wrong: list[str] = []

    def tell_of(key: str, sentence: str) -> None:
        wrong.append(key)
        tell(key, sentence)

    for key in entry:
        if key not in _KEYS:
            tell_of("", f"expected {', '.join(_KEYS)}, got {str(key)[:40]!r}")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        tell_of("name", f"expected letters, digits, '_', '.' or '-', got {_shown(name)}")
    roles = _strings(entry.get("role"))
    if not roles or not set(roles) <= set(ROLES):
        tell_of(
            "role",
            f"expected {', '.join(ROLES)} or a list of them, got {_shown(entry.get('role'))}",
        )
    cameras = _read_cameras(entry, roles, tell_of)
    digest = _read_digest(entry, tell_of)
    if wrong or digest is None:
        return None
    grant = Grant(
        name=str(name),
        roles=frozenset(role for role in ROLES if role in roles),
        cameras=cameras,
    )
    return Token(digest=digest, grant=grant)


def _read_cameras(
    entry: dict[str, Any], roles: Sequence[str], tell: _Tell
) -> frozenset[str] | None:
    if "cameras" not in entry:
        return None
    cameras = _strings(entry["cameras"])
    if not cameras or not all(map(CAMERA_NAME.fullmatch, cameras)):
        tell("cameras", f"expected names of cameras, got {_shown(entry['cameras'])}")
    elif set(roles) != {"ingest"}:
        tell("cameras", "expected with role: ingest alone; the other roles are for all cameras")
    return frozenset(cameras)


def _read_digest(entry: dict[str, Any], tell: _Tell) -> bytes | None:
    given = [key for key in ("token", "token_sha256") if key in entry]
    if len(given) != 1:
        tell("token", f"expected either token or token_sha256, got {' and '.join(given) or 'none'}")
        return None
    value = entry[given[0]]
    if given == ["token"] and isinstance(value, str) and is_token(value):
        return digest_of(value)
    if given == ["token_sha256"] and isinstance(value, str) and _DIGEST.fullmatch(value):
        return bytes.fromhex(value)
    form = FORM if given == ["token"] else "64 hexadecimal digits"
    # YAML takes digits alone for a number.
    tell(given[0], f"expected {form}{'' if isinstance(value, str) else ', in quotes'}")
    return None


def _strings(value: Any) -> list[str]:
    """Return a string or a list of them as a list; empty for anything else."""
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(each, str) for each in values) else []


def _shown(value: Any) -> str:
    if value in (None, []):
        return "none"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{text[:80]!r}"
