"""Send vectors to a receiver, byte for byte, and compare its replies.

python -m tests.vectors.replay HOST:PORT [frames headers/x-frame-seq-word ...]
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"

_KINDS: dict[str, type | tuple[type, ...]] = {"number": (int, float), "string": str}


@dataclass(frozen=True)
class Reply:
    """A reply as it came; `headers` by names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


def names(wanted: list[str]) -> list[str]:
    """Return the names of all vectors, or of those in these folders and of these names."""
    found = sorted(str(path.relative_to(FOLDER))[:-5] for path in FOLDER.glob("*/*.json"))
    chosen = [n for n in found if not wanted or n in wanted or n.partition("/")[0] in wanted]
    if not chosen:
        raise SystemExit(f"replay: expected names of vectors or folders, got {wanted}")
    return chosen


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return content


def replay(name: str, host: str, port: int) -> list[str]:
    """Return what was not as it must be, one sentence each."""
    troubles = []
    later = []
    with ExitStack() as stack:
        lines: dict[str, socket.socket] = {}
        for number, step in enumerate(load(name)["exchanges"], 1):
            line = step.get("connection", "a")
            if line not in lines:
                lines[line] = stack.enter_context(socket.create_connection((host, port), 30))
            request = (FOLDER / name).parent / step["send"]
            # A server may refuse, and close, before it has read it all.
            with suppress(BrokenPipeError, ConnectionResetError):
                lines[line].sendall(request.read_bytes())
                if step.get("fin"):
                    lines[line].shutdown(socket.SHUT_WR)
            if step.get("later"):
                later.append((number, lines[line], step["expect"]))
            else:
                troubles += check(number, lines[line], step["expect"])
        for number, connection, expected in later:
            troubles += check(number, connection, expected)
    return troubles


def check(number: int, connection: socket.socket, expected: dict[str, Any]) -> list[str]:
    try:
        reply = read(connection)
    except (HTTPException, OSError) as exc:
        return [f"exchange {number}: no reply: {exc!r}"]
    return [f"exchange {number}: {trouble}" for trouble in compare(expected, reply)]


def read(connection: socket.socket) -> Reply:
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, body)


def compare(expected: dict[str, Any], reply: Reply) -> Iterator[str]:
    """Yield what in the reply is not as expected."""
    if reply.status != expected["status"]:
        yield f"expected status {expected['status']}, got {reply.status} {reply.body[:300]!r}"
        return
    for header, value in expected.get("headers", {}).items():
        yield from differences(value, reply.headers.get(header.lower()), header)
    if "text" in expected:
        yield from differences(expected["text"], reply.body.decode("utf-8", "replace"), "the body")
    try:
        if "json" in expected:
            yield from differences(expected["json"], json.loads(reply.body), "the body")
        if "lines" in expected:
            told = [json.loads(line) for line in reply.body.splitlines()]
            if len(told) != len(expected["lines"]):
                yield f"expected {len(expected['lines'])} lines, got {len(told)}: {told}"
            for number, (line, value) in enumerate(zip(told, expected["lines"], strict=False), 1):
                yield from differences(value, line, f"line {number}")
    except ValueError:
        yield f"expected JSON, got {reply.body[:300]!r}"


def differences(expected: Any, got: Any, where: str) -> Iterator[str]:
    """Yield where `got` is not what the `expected` value, or object of values, says."""
    if not isinstance(expected, dict):
        if type(expected) is not type(got) or expected != got:
            yield f"{where}: expected {expected!r}, got {got!r}"
    elif "matches" in expected:
        if not isinstance(got, str) or not re.search(expected["matches"], got):
            yield f"{where}: expected text that matches {expected['matches']!r}, got {got!r}"
    elif "is" in expected:
        kind = expected["is"]
        if (got is not None) if kind == "absent" else not isinstance(got, _KINDS[kind]):
            yield f"{where}: expected {kind}, got {got!r}"
    elif not isinstance(got, dict):
        yield f"{where}: expected an object, got {got!r}"
    else:
        for name, value in expected.items():
            if name not in got and value != {"is": "absent"}:
                yield f"{where}: expected {name}, got only {', '.join(got) or 'nothing'}"
            else:
                yield from differences(value, got.get(name), f"{where}, {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Send vectors to a receiver, compare its replies.")
    parser.add_argument("address", help="HOST:PORT")
    parser.add_argument("names", nargs="*", help="such as frames, or frames/accepted; default: all")
    options = parser.parse_args()
    host, _, port = options.address.rpartition(":")
    count = failures = 0
    started = time.monotonic()
    for name in names(options.names):
        if settings := load(name).get("receiver"):
            print(f"skip {name}: needs a receiver with {settings}")
            continue
        troubles = replay(name, host, int(port))
        count += 1
        failures += bool(troubles)
        for trouble in troubles:
            print(f"FAIL {name}: {trouble}")
    took = time.monotonic() - started
    print(f"{count} vectors, {failures} failed, {took:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
