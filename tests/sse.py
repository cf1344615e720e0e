"""EventStream: a reader of Server-Sent Events, as the HTML standard describes them, on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    id: str
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


class EventStream:
    """One connection to `path`; `last_id` is what a browser would come back with."""

    def __init__(
        self, port: int, path: str = "/events", *, after: str | None = None, timeout: float = 15.0
    ) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
        self._connection.request(
            "GET", path, headers={} if after is None else {"Last-Event-ID": after}
        )
        self.response = self._connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.last_id = after or ""
        self.retry: int | None = None
        self.comments = 0

    def __iter__(self) -> Iterator[Event]:
        """Yield events until the server ends the stream."""
        kind, name = "", self.last_id
        data: list[str] = []
        while line := self.response.readline():
            text = line.decode().removesuffix("\n")
            field, _, value = text.partition(":")
            value = value.removeprefix(" ")
            if text == "":
                self.last_id = name
                if data:
                    yield Event(kind or "message", name, "\n".join(data))
                kind, data = "", []
            elif field == "":
                self.comments += 1
            elif field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                name = value
            elif field == "retry":
                self.retry = int(value)
            else:
                raise AssertionError(f"no field of the standard: {text!r}")

    def take(self, count: int) -> list[Event]:
        """Return the next `count` events."""
        events = iter(self)
        return [next(events) for _ in range(count)]

    def close(self) -> None:
        self.response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
