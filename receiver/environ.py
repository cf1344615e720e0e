"""Environ: the headers of a request as WSGI has them (PEP 3333), for those who go without Flask."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Headers:
    """Looked up by name, without regard to case; not Content-Type, not Content-Length."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    def get(self, key: str, /) -> str | None:
        return self._environ.get(_variable(key))


@lru_cache(maxsize=64)
def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")
