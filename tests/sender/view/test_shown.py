"""What the whole program shows, beside what it posts."""

from __future__ import annotations

import http.client
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from shared import jpeg
from tests.program import Program, Receiver
from tests.sender.view.stage import Part, read_parts, until

NOBODY = "127.0.0.1:9"


class Shown:
    """A sender with the test pattern in 320x180."""

    def __init__(self, sender: Program) -> None:
        self.sender = sender
        self.url = sender.wait_for(r"live pictures on (http://[^ ]+)/$")[1]
        self.port = int(self.url.rpartition(":")[2])
        until(lambda: requests.get(f"{self.url}/cameras/cam1/frame.jpg", timeout=30).ok)

    def status(self) -> dict[str, Any]:
        content: dict[str, Any] = requests.get(f"{self.url}/status", timeout=30).json()
        found: dict[str, Any] = content["cameras"][0]
        return found

    @contextmanager
    def view(self, query: str = "") -> Iterator[Iterator[Part]]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as line:
            line.request("GET", f"/cameras/cam1/stream.mjpg{query}")
            yield read_parts(line.getresponse())


@contextmanager
def showing(*arguments: str) -> Iterator[Shown]:
    source = ("--source", "testsrc", "--size", "320x180", "--status-port", "0")
    with Program("sender", *source, *arguments) as sender:
        yield Shown(sender)


def width(part: Part) -> int:
    return jpeg.read_header(part[1]).width


def test_what_the_receiver_wishes_and_what_viewers_wish_do_not_disturb_each_other() -> None:
    with Receiver() as receiver, showing("--to", receiver.url) as shown:
        camera = f"{receiver.url}/cameras/cam1"

        def posted() -> dict[str, Any]:
            content: dict[str, Any] = requests.get(camera, timeout=30).json()
            return content

        until(lambda: requests.get(camera, timeout=30).ok)
        with shown.view() as whole, shown.view("?width=64&quality=20") as small:
            assert (width(next(whole)), width(next(small))) == (320, 64)
            assert posted()["width"] == 320
            wish = {"fps": 2, "size": "160x90", "quality": 10}
            requests.put(f"{camera}/control", json=wish, timeout=30).raise_for_status()
            until(lambda: posted()["width"] == 160)
            # The receiver has one of twelve from here on, and viewers have them all.
            thinned = shown.status()["thinned"]
            until(lambda: shown.status()["thinned"] > thinned)
            seen = [next(whole) for _ in range(40)]
            unposted = ["X-Frame-Seq" not in headers for headers, _ in seen[-20:]]
            assert {width(part) for part in seen} == {320}
            assert sum(unposted) > 10
            assert width(next(small)) == 64
            assert posted()["width"] == 160


def every(folder: Path) -> list[str]:
    return ["--to", f"http://{NOBODY}", "--delivery", "every", "--spool", str(folder)]


@pytest.mark.parametrize(
    "arguments",
    [
        every,
        lambda folder: ["--to", f"redis://{NOBODY}/0?key=cam1&topic=img0"],
    ],
    ids=["every", "redis"],
)
def test_it_shows_the_same_whatever_carries_the_frames_and_where_nobody_takes_them(
    arguments: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    with showing(*arguments(tmp_path)) as shown, shown.view("?width=160") as parts:
        stamps = {headers["X-Timestamp"] for headers, _ in (next(parts) for _ in range(5))}

        assert len(stamps) == 5
        assert width(next(parts)) == 160


def test_it_ends_at_once_with_viewers_that_read_and_viewers_that_do_not() -> None:
    with showing("--to", f"http://{NOBODY}") as shown:
        with (
            shown.view() as parts,
            closing(socket.create_connection(("127.0.0.1", shown.port))) as stuck,
            closing(socket.create_connection(("127.0.0.1", shown.port))),
        ):
            stuck.sendall(b"GET /cameras/cam1/stream.mjpg HTTP/1.0\r\n\r\n")
            next(parts)
            # A stuck viewer alone would have 15 s.
            assert shown.sender.stop(signal.SIGINT, seconds=12) == 0
            list(parts)

        assert "Traceback" not in shown.sender.output
        last = shown.sender.lines[-1]
        assert "in all captured=" in last, last


def test_beyond_this_machine_it_says_what_is_wanted_for_pictures() -> None:
    arguments = ("--source", "testsrc", "--to", f"http://{NOBODY}", "--status-port", "0")
    with Program("sender", *arguments, "--status-host", "0.0.0.0") as sender:
        port = sender.wait_for(r"0\.0\.0\.0:(\d+)/status and no pictures, for want of")[1]
        answer = requests.get(f"http://127.0.0.1:{port}/", timeout=30)
        status = requests.get(f"http://127.0.0.1:{port}/status", timeout=30)

    assert (answer.status_code, status.status_code) == (403, 200)


def test_a_token_that_is_too_short_is_one_sentence_that_does_not_tell_it() -> None:
    with Program("sender", "--source", "testsrc", "--view-token", "short") as sender:
        assert sender.wait() == 2

    assert sender.lines == [
        "sender: SENDER_VIEW_TOKEN: expected 16 to 256 printable ASCII characters without spaces;"
        " this makes one: openssl rand -hex 24"
    ]
