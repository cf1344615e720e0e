"""Revocable: bodies that end when the token that they were begun with counts no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

#: Tells whether it still counts.
Holds = Callable[[], bool]


class RevocableReply:
    """A reply's body, as WSGI has it: no part is passed on after the end of the right to it."""

    def __init__(self, body: Iterable[bytes], holds: Holds) -> None:
        self._body = body
        self._parts = iter(body)
        self._holds = holds

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = next(self._parts)
        if not self._holds():
            raise StopIteration
        return part

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class RevocableInput:
    """A request's body, as WSGI has it: what comes after the end of the right is not read."""

    def __init__(self, source: Any, holds: Holds) -> None:
        self._source = source
        self._holds = holds

    def read(self, size: int = -1, /) -> bytes:
        data: bytes = self._source.read(size)
        return data if self._holds() else b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
