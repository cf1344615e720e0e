"""What the examples in C++, Go and C# must do besides: their clients are tested through them."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import pytest

from shared import pattern
from tests.clients.conftest import MakeFolder
from tests.clients.example_contract import ExampleContract, result
from tests.clients.servers import (
    Answer,
    Request,
    ScriptedServer,
    accepted,
    failed,
    problem,
    processed,
)
from tests.program import Command, Receiver
from tests.sender.doubles import RawServer

#: What a hook may return, and what a reader of JSON may stumble over.
VALUES: list[Any] = [
    *(
        {},
        [],
        "",
        0,
        -0.5,
        1e300,
        True,
        False,
        'a "quoted\\" word',
        "\\",
        '"',
        "}{][,:",
        "a\\u0041",
    ),
    *("grün 猫 😀", "\ud83d", "\x00\x1f\x7f\u2028", "tab\tline\nfeed", "x" * 100_000),
    *(
        [1, [2, [3, {"a": [{}]}]]],
        {"state": "failed", "error": "not mine", "result": {"result": 1}},
    ),
    {"": None, "a b": {"\n": ['"', "]"]}, "detail": [[], {}, ""]},
]
#: Starts a program that plays a folder until Ctrl-C.
LOOP = ("--latest", "--loop")


class CompiledContract(ExampleContract):
    #: Starts a program that ends with Ctrl-C where that reaches it.
    at_a_terminal: ClassVar[tuple[str, ...]] = ()

    def start(self, *arguments: object, url: str, token: str = "") -> Command:
        prefix = self.at_a_terminal if "--loop" in arguments else ()
        words = [*prefix, *self.command, *map(str, arguments), "--url", url]
        return Command(*words, env={"FRAMEPOST_TOKEN": token} if token else {})

    # One frame, one reply

    @pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "utf-8"])
    def test_whatever_a_hook_returns_comes_through(
        self, ascii_only: bool, make_folder: MakeFolder
    ) -> None:
        values = VALUES if ascii_only else [value for value in VALUES if value != "\ud83d"]

        def answer(request: Request) -> Answer:
            given = processed(request, values[request.seq or 0])
            text = json.dumps(given.body, ensure_ascii=ascii_only)
            return Answer(given.status, text.encode(), given.headers)

        with ScriptedServer(answer) as server:
            status, lines = self.run(make_folder(len(values)), "--wait", 1, url=server.url)

        assert status == 0, lines
        assert [json.loads(line.partition(" processed ")[2]) for line in lines] == values

    def test_a_nested_reply_is_read_however_deep_it_is(self, make_folder: MakeFolder) -> None:
        deep = b"[" * 5000 + b"]" * 5000
        body = b' {"result" : ' + deep + b'\r\n,\t"seq":0, "state" :"processed" } '
        with ScriptedServer([Answer(200, body)]) as server:
            status, lines = self.run(make_folder(1), url=server.url)

        assert (status, lines) == (0, ["000.jpg: 200 processed " + deep.decode()])

    def test_the_error_of_a_hook_comes_without_its_escapes(self, make_folder: MakeFolder) -> None:
        error = 'KeyError: "grün\\😀" \ud800 is no /key\\u0041'
        with ScriptedServer(lambda request: failed(request, error)) as server:
            status, lines = self.run(make_folder(1), url=server.url)

        assert status == 1
        assert lines == [f"000.jpg: 500 failed {error}".replace("\ud800", "�")]

    def test_damaged_replies_are_trouble_and_no_more(self, make_folder: MakeFolder) -> None:
        chance = random.Random(7)
        good = (
            b'{"camera": "a", "epoch": "e", "seq": 3, "state": "processed", "result": {"a": [1, '
            b'"\\ud83d\\ude00", {"b\\n": null}]}, "timings": {"queue": 0.1, "total": 6e-3}}'
        )

        def damaged(_request: Request) -> Answer:
            body = bytearray(good)
            for _ in range(chance.randrange(1, 5)):
                place = chance.randrange(len(body))
                if chance.random() < 0.5:
                    body[place] = chance.choice(b'"\\{}[],:u0-e ')
                else:
                    del body[place : place + chance.randrange(1, 60)]
            control = bytes(chance.choices(b"fpsizequality=;.x0123456789 ", k=12)).decode()
            return Answer(chance.choice([200, 404]), bytes(body), {"X-Frame-Control": control})

        count = 400
        with ScriptedServer(damaged) as server:
            status, lines = self.run(make_folder(count, size=(64, 48)), url=server.url)

        assert status in (0, 1, 3), lines
        assert len(server.requests) == count
        assert len([line for line in lines if ".jpg: " in line]) == count
        assert not re.search("Sanitizer|DATA RACE|panic|Unhandled", "\n".join(lines))

    def test_a_reply_too_long_is_given_up(self, make_folder: MakeFolder) -> None:
        endless = {"Content-Length": str(1 << 40)}
        with ScriptedServer([Answer(200, bytes((16 << 20) + 1), endless)]) as server:
            status, lines = self.run(make_folder(2), url=server.url)

        assert (status, lines) == (
            3,
            [
                "000.jpg: no reply, the reply is longer than 16777216 bytes",
                "001.jpg: 202 accepted",
            ],
        )

    def test_a_hundred_frames_go_through_one_connection(self, make_folder: MakeFolder) -> None:
        with ScriptedServer([problem(422, "no")] * 10) as server:
            self.run(make_folder(100, size=(64, 48)), url=server.url)

        assert [request.seq for request in server.requests] == list(range(100))
        assert server.connections == 1

    def test_a_picture_is_sent_at_once_and_with_its_length(self, make_folder: MakeFolder) -> None:
        folder = make_folder(0)
        (folder / "a.jpg").write_bytes(bytes(3 << 20))
        with ScriptedServer() as server:
            self.run(folder, url=server.url)

        headers = server.requests[0].headers
        assert headers["content-length"] == str(3 << 20)
        assert "transfer-encoding" not in headers
        assert "expect" not in headers

    def test_a_connection_that_went_stale_is_replaced_and_no_frame_is_lost(
        self, make_folder: MakeFolder
    ) -> None:
        with ScriptedServer(lambda r: Answer(202, {"state": "accepted"}, close=True)) as server:
            status, lines = self.run(make_folder(4), "--fps", 5, url=server.url)

        assert (status, lines) == (0, [f"00{number}.jpg: 202 accepted" for number in range(4)])
        assert server.connections == 4

    def test_a_refusal_is_heard_though_the_body_is_not_read(self, make_folder: MakeFolder) -> None:
        folder = make_folder(0)
        for number in range(8):
            (folder / f"{number}.jpg").write_bytes(bytes(9 << 20))

        def refuse(connection: socket.socket, _number: int) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            answer = problem(413, "too large")
            connection.sendall(answer.head + answer.content)

        with RawServer(refuse) as server:
            status, lines = self.run(folder, url=f"http://127.0.0.1:{server.port}")

        assert status == 1
        assert lines == [f"{number}.jpg: 413 refused too large" for number in range(8)]

    def test_proxies_of_the_environment_are_not_asked(
        self, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with ScriptedServer() as server:
            status, _ = self.run(make_folder(1), url=server.url)

        assert status == 0

    def test_a_frame_can_be_asked_to_be_processed_whatever_comes(
        self, make_folder: MakeFolder
    ) -> None:
        with ScriptedServer() as server:
            self.run(make_folder(1), "--every", url=server.url)

        assert server.requests[0].target == "/cameras/cam1/frames?mode=every"

    def test_raw_pixels_reach_the_hook(self, make_folder: MakeFolder, witness: Receiver) -> None:
        folder = make_folder(0)
        (folder / "a.bgr").write_bytes(pattern.draw(41, 162, 120).tobytes())

        status, lines = self.run(
            *(folder, "--size", "162x120", "--wait", 10, "--camera", "raw"), url=witness.url
        )

        assert status == 0, lines
        assert result(lines[0])["number"] == 41

    def test_ctrl_c_ends_it_while_a_receiver_is_silent(self, make_folder: MakeFolder) -> None:
        with (
            ScriptedServer(lambda _: Answer(silent=True)) as server,
            self.start(make_folder(3), "--loop", "--timeout", 1, url=server.url) as program,
        ):
            server.wait_for(1)
            assert program.stop(signal.SIGINT) == 130

        assert "Traceback" not in program.output

    # The newest frame

    def test_while_the_receiver_is_slow_only_the_newest_frame_waits(
        self, make_folder: MakeFolder
    ) -> None:
        slow = threading.Event()
        folder = make_folder(18)
        second, last = pipe(folder / "000b.jpg"), pipe(folder / "999.jpg")
        with (
            ScriptedServer(lambda r: Answer(202, accepted(r).body, after=slow)) as server,
            self.start(folder, "--latest", url=server.url) as program,
        ):
            server.wait_for(1)
            with feeding(second) as end:
                end.write(b"the second")
            with feeding(last) as end:
                slow.set()
                server.wait_for(2)
                end.write(b"the last")
            assert program.wait(seconds=90) == 0, program.output

        assert [request.seq for request in server.requests] == [0, 18, 19]
        assert server.requests[2].body == b"the last"
        assert server.connections == 1
        assert books(program) == [20, 3, 17, 0, 0, 0]

    def test_after_trouble_it_pauses_longer_and_longer_and_no_frame_is_sent_twice(
        self, make_folder: MakeFolder
    ) -> None:
        with (
            ScriptedServer([Answer(500, b"")] * 4) as server,
            self.start(*(make_folder(3), *LOOP, "--fps", 200), url=server.url) as program,
        ):
            server.wait_for(6)
            assert program.stop(signal.SIGINT) == 1

        times = [request.at for request in server.requests]
        # Half of 0.1, 0.2, 0.4 and 0.8 s is sure, the rest is jitter.
        assert times[3] - times[0] > 0.05 + 0.1 + 0.2
        assert times[4] - times[3] > 0.4
        seqs = [request.seq or 0 for request in server.requests]
        assert seqs == sorted(set(seqs))
        captured, posted, superseded, refused, failed_, _ = books(program)
        assert refused == 4
        assert captured == posted + superseded + refused + failed_

    @pytest.mark.parametrize("how", ["refused", "accepted"])
    def test_it_comes_back_when_the_receiver_asks_it_to_and_brings_what_is_newest_then(
        self, how: str, make_folder: MakeFolder
    ) -> None:
        number = count()

        def answer(request: Request) -> Answer:
            if next(number):
                return accepted(request)
            asked = {"Retry_After": "1"}
            return problem(503, "x", **asked) if how == "refused" else accepted(request, **asked)

        with (
            ScriptedServer(answer) as server,
            self.start(*(make_folder(3), *LOOP, "--fps", 100), url=server.url) as program,
        ):
            server.wait_for(2)
            program.stop(signal.SIGINT)

        first, second = server.requests[:2]
        assert second.at - first.at > 0.95
        # Captured behind the pause, or just before its end.
        assert float(second.headers["x-timestamp"]) > first.at + 0.5

    def test_a_bad_frame_does_not_hold_up_the_next(self, make_folder: MakeFolder) -> None:
        with (
            ScriptedServer([problem(422, "cut off", Retry_After="60")]) as server,
            self.start(*(make_folder(2), *LOOP, "--fps", 50), url=server.url) as program,
        ):
            server.wait_for(3, seconds=20)
            assert program.stop(signal.SIGINT) == 1

    def test_it_thins_out_as_the_receiver_wishes_and_counts_no_number_for_it(
        self, make_folder: MakeFolder
    ) -> None:
        wish = "size=640x360;fps=2.5 ; quality=70; mood=good"
        with ScriptedServer(lambda r: accepted(r, X_Frame_Control=wish)) as server:
            status, lines = self.run(make_folder(60), "--latest", "--fps", 25, url=server.url)

        assert status == 0, lines
        told = [line for line in lines if "wishes" in line]
        assert told == ["the receiver wishes fps=2.5 size=640x360 quality=70"]
        captured, posted, superseded, refused, failed_, thinned = (
            int(number) for number in re.findall(r"\d+", lines[-1])
        )
        assert captured + thinned == 60
        assert thinned >= 30
        assert captured == posted + superseded + refused + failed_
        assert [request.seq for request in server.requests][-1] == captured - 1

    def test_it_can_be_told_not_to_obey(self, make_folder: MakeFolder) -> None:
        with ScriptedServer(lambda r: accepted(r, X_Frame_Control="fps=0.1")) as server:
            status, lines = self.run(
                *(make_folder(20), "--latest", "--fps", 100, "--disobey"), url=server.url
            )

        assert status == 0
        assert "captured=20" in lines[-1]
        assert "thinned=0" in lines[-1]

    @pytest.mark.parametrize("wish", ["fps=0", "fps=-1; size=640", "quality=high", ";;=;", "fps="])
    def test_a_wish_that_says_nothing_legible_is_none(
        self, wish: str, make_folder: MakeFolder
    ) -> None:
        with ScriptedServer(lambda r: accepted(r, X_Frame_Control=wish)) as server:
            status, lines = self.run(make_folder(2), url=server.url)

        assert (status, lines) == (0, ["000.jpg: 202 accepted", "001.jpg: 202 accepted"])

    def test_the_end_comes_at_once_in_a_pause(self, make_folder: MakeFolder) -> None:
        folder = make_folder(1)
        second = pipe(folder / "001.jpg")
        with (
            ScriptedServer([problem(503, "later", Retry_After="60")]) as server,
            self.start(folder, "--latest", "--timeout", 60, url=server.url) as program,
        ):
            program.wait_for("frame 0: 503 refused later")
            with feeding(second) as end:
                end.write(b"too late")
            assert program.wait(seconds=60) == 1, program.output

        assert books(program) == [2, 0, 0, 1, 1, 0]
        assert len(server.requests) == 1

    def test_the_end_comes_though_the_receiver_never_answers(self, make_folder: MakeFolder) -> None:
        folder = make_folder(1)
        second = pipe(folder / "001.jpg")
        with (
            ScriptedServer(lambda _: Answer(silent=True)) as server,
            self.start(folder, "--latest", "--timeout", 0.5, url=server.url) as program,
        ):
            server.wait_for(1)
            with feeding(second) as end:
                end.write(b"waits in vain")
            assert program.wait(seconds=60) == 3, program.output

        assert books(program) == [2, 0, 0, 0, 2, 0]

    def test_many_answers_that_break_off_leave_the_books_closed(
        self, make_folder: MakeFolder
    ) -> None:
        answers = [Answer(202, b"{", cut=0), problem(422, "no"), Answer(200, b"<html>")]
        with (
            ScriptedServer(answers) as server,
            self.start(*(make_folder(3), *LOOP, "--fps", 100), url=server.url) as program,
        ):
            server.wait_for(8)
            assert program.stop(signal.SIGINT) == 3

        captured, posted, superseded, refused, failed_, _ = books(program)
        assert refused == 1
        assert captured == posted + superseded + refused + failed_
        assert 2 + refused + posted <= len(server.requests) + 1


def readme_program(folder: Path, url: str) -> str:
    """Return the program that a client's README begins with, as it would be for this receiver."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    match = re.search(r"```\w+\n(.*?)```", text, re.DOTALL)
    assert match is not None
    assert "http://127.0.0.1:8000" in match[1]
    return match[1].replace("http://127.0.0.1:8000", url)


def tried_anew(self: CompiledContract, make_folder: MakeFolder) -> None:
    """For the languages whose library can be told that a frame may be sent again."""
    with ScriptedServer([Answer(202, {"state": "accepted"}), Answer(cut=0)]) as server:
        status, lines = self.run(make_folder(3), url=server.url)

    assert (status, lines) == (0, [f"00{number}.jpg: 202 accepted" for number in range(3)])
    assert [request.seq for request in server.requests] == [0, 1, 1, 2]


def pipe(path: Path) -> Path:
    """Make a file that is empty until it is fed."""
    os.mkfifo(path)
    return path


@contextmanager
def feeding(path: Path, *, seconds: float = 30.0) -> Iterator[BinaryIO]:
    """Wait until the program opens the pipe, and so has used all files before; it reads on."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            number = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as exc:  # nobody has opened it to read
            if exc.errno != errno.ENXIO:
                raise
            assert time.monotonic() < deadline, f"{path.name} was not read"
            threading.Event().wait(0.01)
    with open(number, "wb") as end:
        yield end


def books(program: Command) -> list[int]:
    """Return captured, posted, superseded, refused, failed and thinned."""
    names = ("captured", "posted", "superseded", "refused", "failed", "thinned")
    found = dict(re.findall(r"(\w+)=(\d+)", program.lines[-1]))
    assert tuple(found) == names, program.output
    return [int(found[name]) for name in names]
