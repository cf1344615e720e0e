"""The terminal view as a program: once, as JSON, and in a real terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from receiver.top.keys import Keys
from tests.program import ROOT
from tests.receiver.top.test_look import camera, hook
from tests.sender.doubles import RawServer, free_port

TOP = [sys.executable, "-m", "receiver.top"]


class Told:
    """A server that says what a receiver would, with a camera's count that grows with each look."""

    def __init__(self, status: str = "200 OK", port: int = 0, body: bytes | None = None) -> None:
        self._status = status
        self._body = body
        self._looks = 0
        self.heads: list[str] = []
        self.looked = threading.Event()
        self._server = RawServer(self._answer, port=port)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Told:
        self._server.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._server.__exit__(*error)

    def _answer(self, sock: Any, number: int) -> None:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, data = data.partition(b"\r\n\r\n")
            self.heads.append(head.decode())
            body = self._body if self._body is not None else self._say(head)
            sock.sendall(
                f"HTTP/1.1 {self._status}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )

    def _say(self, head: bytes) -> bytes:
        if b"/hooks" in head:
            self.looked.set()
            return json.dumps({"hooks": [hook()]}).encode()
        self._looks += 1
        return json.dumps({"cameras": [camera(processed=10 * self._looks)]}).encode()


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOP, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_where_no_terminal_is_it_prints_once() -> None:
    with Told() as told:
        done = run(told.url, "--interval", "0.1")

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert re.search(r"cam1 +live +25\.0 +\d+", done.stdout)
    assert "hooks.motion:Motion #1" in done.stdout
    assert done.stderr == ""


def test_json_is_one_line() -> None:
    with Told() as told:
        done = run(told.url, "--json", "--interval", "0.1")

    said = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert said["cameras"][0]["camera"] == "cam1"
    assert said["cameras"][0]["processed"] > 0
    assert said["hooks"][0]["restarts"] == 3


@pytest.mark.parametrize("how", ["option", "environment", "url"])
def test_a_token_goes_into_a_header_and_nowhere_else(how: str) -> None:
    with Told("401 Unauthorized", body=b"{}") as told:
        if how == "option":
            done = run(told.url, "--token", "s3cret")
        elif how == "environment":
            done = run(told.url, env={"FRAMEPOST_TOKEN": "s3cret"})
        else:
            done = run(told.url.replace("://", "://me:s3cret@"))

    assert done.returncode == 1
    assert "give a token that may view" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    expected = "Authorization: Basic " if how == "url" else "Authorization: Bearer s3cret"
    assert expected in told.heads[0]
    assert "s3cret" not in told.heads[0].splitlines()[0]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("404 Not Found", b"{}", "expected a Framepost receiver, but GET /cameras answers 404"),
        ("200 OK", b"<html>", "expected a Framepost receiver, but GET /cameras answers 200 OK"),
        ("200 OK", b'{"cameras": [7], "hooks": []}', "answers as no receiver of this version"),
    ],
)
def test_what_is_no_receiver_is_said_in_a_sentence(status: str, body: bytes, said: str) -> None:
    with Told(status, body=body) as told:
        done = run(told.url)

    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_nobody_there_is_said_in_a_sentence() -> None:
    port = free_port()
    done = run(f"http://127.0.0.1:{port}")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"top: http://127.0.0.1:{port}: no connection: Connection refused\n"


@pytest.mark.parametrize(
    "wrong", [["htp://x"], ["--interval", "0"], ["--sort", "x"], ["--token", "a b"]]
)
def test_wrong_settings_end_it_with_2(wrong: list[str]) -> None:
    done = run(*wrong)

    assert done.returncode == 2
    assert "error: argument" in done.stderr


class Terminal:
    """A real pseudo-terminal that the program runs in."""

    def __init__(self, *arguments: str, columns: int = 100) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.before = termios.tcgetattr(child)
        self._child = child
        self._process = subprocess.Popen(
            [*TOP, *arguments],
            cwd=ROOT,
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
            # Its size is the terminal's, whatever somebody said of theirs.
            env={k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
            | {"TERM": "xterm-256color"},
        )
        self.text = ""

    def wait_for(self, pattern: str, *, seconds: float = 30.0) -> None:
        """Read until what was written since the last wait holds `pattern`."""
        end = time.monotonic() + seconds
        text = ""
        while not re.search(pattern, text):
            ready, _, _ = select.select([self._parent], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"no {pattern!r} in {text!r}"
            text += os.read(self._parent, 65536).decode()
        self.text += text

    def type(self, keys: str) -> None:
        os.write(self._parent, keys.encode())

    def end(self, number: int | None = None) -> int:
        if number is not None:
            self._process.send_signal(number)
        end = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < end:
            if select.select([self._parent], [], [], 0.05)[0]:
                self.text += os.read(self._parent, 65536).decode()
        assert self._process.poll() is not None, "still running"
        return self._process.returncode

    def is_as_before(self) -> bool:
        return termios.tcgetattr(self._child) == self.before

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._parent)
        os.close(self._child)


@contextmanager
def terminal(*arguments: str, columns: int = 100) -> Iterator[Terminal]:
    opened = Terminal(*arguments, columns=columns)
    try:
        yield opened
    finally:
        opened.close()


def test_in_a_terminal_it_goes_on_until_q() -> None:
    with Told() as told, terminal(told.url, "--interval", "0.2") as top:
        top.wait_for(r"1 of 1 cameras live")
        top.wait_for(r"processed/s")
        top.type("f")
        top.wait_for(r"cam1")
        top.type("q")

        assert top.end() == 0
        assert top.is_as_before()
        assert top.text.rstrip().endswith("\x1b[?25h") or "\x1b[?1049l" in top.text
        assert "Traceback" not in top.text


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_ends_it_and_gives_the_terminal_back(number: int) -> None:
    with Told() as told, terminal(told.url) as top:
        top.wait_for(r"cameras live")

        assert top.end(number) == 0
        assert top.is_as_before()
        assert "Traceback" not in top.text


def test_it_ends_with_its_terminal() -> None:
    keys_end, child = pty.openpty()
    keys = Keys(child)
    with keys.open():
        assert keys.wait(0) == ""
        os.close(keys_end)
        assert keys.wait(0) == "q"
    os.close(child)


def test_it_goes_on_trying_and_shows_old_figures_as_old() -> None:
    port = free_port()
    # Wide: what somebody else at that port may answer is to fit a line.
    with terminal(f"http://127.0.0.1:{port}", "--interval", "0.1", columns=250) as top:
        top.wait_for(r"Connection refused - it is tried again")
        with Told(port=port):
            top.wait_for(r"1 of 1 cameras live")
        top.wait_for(r"what follows is \d+ s old")
        with Told(port=port) as told:
            assert told.looked.wait(30)
        top.type("q")
        assert top.end() == 0
