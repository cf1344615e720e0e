"""What every language's example program must do; a test class of that language inherits it."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
from typing import Any, ClassVar

import pytest

from tests.clients.conftest import SECRET, MakeFolder
from tests.clients.servers import Answer, ScriptedServer, failed, problem, processed
from tests.program import Command, Receiver
from tests.sender.doubles import RawServer, Requests, free_port

_TIME = re.compile(r"\d{10}\.\d{6}")


class ExampleContract:
    """`command` starts the example program; its arguments are the same in every language."""

    command: ClassVar[tuple[str, ...]]

    def start(self, *arguments: object, url: str, token: str = "") -> Command:
        words = [*self.command, *map(str, arguments), "--url", url]
        return Command(*words, env={"FRAMEPOST_TOKEN": token} if token else {})

    def run(
        self, *arguments: object, url: str, token: str = "", seconds: float = 90
    ) -> tuple[int, list[str]]:
        """Return the exit status and the lines."""
        with self.start(*arguments, url=url, token=token) as program:
            status = program.wait(seconds=seconds)
        return status, program.lines

    def test_the_number_in_the_pixels_comes_back_in_the_result(
        self, make_folder: MakeFolder, witness: Receiver
    ) -> None:
        status, lines = self.run(
            *(make_folder(5, first=7), "--wait", 10, "--camera", "numbers"), url=witness.url
        )

        assert status == 0, lines
        assert [line.partition(" {")[0] for line in lines] == [
            f"{number:03}.jpg: 200 processed" for number in range(7, 12)
        ]
        assert [result(line)["number"] for line in lines] == [7, 8, 9, 10, 11]

    def test_without_a_wait_frames_are_accepted(
        self, make_folder: MakeFolder, witness: Receiver
    ) -> None:
        status, lines = self.run(make_folder(2), "--camera", "accepted", url=witness.url)

        assert (status, lines) == (0, ["000.jpg: 202 accepted", "001.jpg: 202 accepted"])

    def test_a_receiver_that_asks_for_a_token_gets_it(
        self, make_folder: MakeFolder, guarded: Receiver
    ) -> None:
        folder = make_folder(1)
        status, lines = self.run(folder, "--camera", "a", url=guarded.url, token=SECRET)
        assert (status, lines) == (0, ["000.jpg: 202 accepted"])

        status, lines = self.run(folder, "--camera", "a", url=guarded.url)
        assert status == 1
        assert "401" in lines[0]
        assert "token: expected one in the header Authorization, got none" in lines[0]

    def test_all_frames_go_through_one_connection_each_with_its_envelope(
        self, make_folder: MakeFolder
    ) -> None:
        folder = make_folder(4)
        with ScriptedServer() as server:
            status, lines = self.run(folder, "--camera", "door", "--wait", 0.5, url=server.url)

        assert status == 0, lines
        assert server.connections == 1
        requests = server.requests
        assert {request.target for request in requests} == {"/cameras/door/frames"}
        assert [request.body for request in requests] == [
            file.read_bytes() for file in sorted(folder.iterdir())
        ]
        assert [request.seq for request in requests] == [0, 1, 2, 3]
        assert len({request.epoch for request in requests}) == 1
        assert re.fullmatch(r"[!-~]{1,64}", requests[0].epoch or "")
        for request in requests:
            headers = request.headers
            assert headers["content-type"] == "image/jpeg"
            assert headers["prefer"] == "wait=0.5"
            assert "authorization" not in headers
            assert _TIME.fullmatch(headers["x-timestamp"])
            assert _TIME.fullmatch(headers["x-sent-at"])
            assert float(headers["x-timestamp"]) <= float(headers["x-sent-at"]) + 0.01
            assert abs(request.at - float(headers["x-sent-at"])) < 30

    def test_each_run_is_an_epoch_of_its_own(self, make_folder: MakeFolder) -> None:
        folder = make_folder(1)
        with ScriptedServer() as server:
            self.run(folder, url=server.url)
            self.run(folder, url=server.url)

        assert server.requests[0].epoch != server.requests[1].epoch

    def test_a_frame_brings_the_four_times_of_the_exchange_before(
        self, make_folder: MakeFolder
    ) -> None:
        def untimed_second(request: Any) -> Answer:
            answer = processed(request, None)
            if request.seq == 1:
                return Answer(200, answer.body)
            return Answer(200, answer.body, {"X-Received-At": "1.5", "X-Replied-At": "2.25"})

        with ScriptedServer(untimed_second) as server:
            status, lines = self.run(make_folder(3), url=server.url)

        assert status == 0, lines
        first, second, third = server.requests
        said = second.headers["x-last-exchange"]
        match = re.fullmatch(r"sent=(\S+); received=1\.5; replied=2\.25; seen=(\S+)", said)
        assert match is not None, said
        assert match[1] == first.headers["x-sent-at"]
        assert float(match[1]) <= float(match[2]) <= float(second.headers["x-sent-at"])
        assert _TIME.fullmatch(match[2])
        # The exchange before the third had no times.
        assert "x-last-exchange" not in first.headers
        assert "x-last-exchange" not in third.headers

    def test_the_token_goes_with_each_frame_and_is_not_shown(self, make_folder: MakeFolder) -> None:
        with ScriptedServer([problem(401, "who are you?")]) as server:
            _, lines = self.run(make_folder(2), url=server.url, token=SECRET)

        assert [request.headers["authorization"] for request in server.requests] == [
            f"Bearer {SECRET}"
        ] * 2
        assert SECRET not in "\n".join(lines)

    def test_what_the_receiver_refuses_is_told_in_its_own_words_and_the_next_frame_goes(
        self, make_folder: MakeFolder, witness: Receiver
    ) -> None:
        folder = make_folder(3)
        (folder / "001.jpg").write_bytes((folder / "001.jpg").read_bytes()[:400])

        status, lines = self.run(folder, "--wait", 10, "--camera", "refused", url=witness.url)

        assert status == 1
        assert lines[0].startswith("000.jpg: 200 processed")
        assert lines[1].startswith("001.jpg: 422 refused image: the JPEG is cut off; 400 bytes")
        assert lines[2].startswith("002.jpg: 200 processed")

    def test_a_picture_that_is_too_large_is_refused_with_the_reason(
        self, make_folder: MakeFolder, witness: Receiver
    ) -> None:
        folder = make_folder(0)
        (folder / "huge.jpg").write_bytes(bytes(17 << 20))

        status, lines = self.run(folder, "--camera", "huge", url=witness.url)

        assert status == 1, lines
        assert lines[0].startswith("huge.jpg: 413 refused body: expected at most 16777216 bytes")

    def test_a_refusal_that_is_no_problem_json_shows_how_it_begins(
        self, make_folder: MakeFolder
    ) -> None:
        page = Answer(404, b"<h1>Not\nhere</h1>", {"Content-Type": "text/html"})
        with ScriptedServer([page]) as server:
            status, lines = self.run(make_folder(1), url=server.url)

        assert (status, lines) == (1, ["000.jpg: 404 refused <h1>Not here</h1>"])

    def test_a_hook_that_failed_is_told_with_its_error(self, make_folder: MakeFolder) -> None:
        with ScriptedServer(lambda request: failed(request, "ValueError: no face")) as server:
            status, lines = self.run(make_folder(1), "--wait", 1, url=server.url)

        assert (status, lines) == (1, ["000.jpg: 500 failed ValueError: no face"])

    def test_an_answer_that_is_no_reply_of_a_receiver_is_trouble(
        self, make_folder: MakeFolder
    ) -> None:
        with ScriptedServer([Answer(200, b"<html>", {"Content-Type": "text/html"})]) as server:
            status, lines = self.run(make_folder(1), url=server.url)

        assert status == 3
        assert lines == [
            "000.jpg: no reply, expected a Framepost receiver's reply, got 200 '<html>'"
        ]

    def test_where_nobody_listens_it_says_so(self, make_folder: MakeFolder) -> None:
        status, lines = self.run(make_folder(2), url=f"http://127.0.0.1:{free_port()}")

        assert status == 3
        # Go writes the system's words with small letters.
        assert [line.replace("connection refused", "Connection refused") for line in lines] == [
            f"00{n}.jpg: no reply, no connection: Connection refused" for n in (0, 1)
        ]

    @pytest.mark.parametrize("cut", [0, 10, 60, 150])
    def test_a_connection_that_ends_in_the_middle_of_a_reply_is_trouble(
        self, cut: int, make_folder: MakeFolder
    ) -> None:
        body = {"state": "accepted", "padding": "x" * 100}
        with ScriptedServer([Answer(202, body, cut=cut)]) as server:
            status, lines = self.run(make_folder(2), url=server.url)

        assert status == 3
        assert lines[0].startswith("000.jpg: no reply, ")
        if cut in (0, 150):
            assert lines[0].endswith("the connection ended before the reply did")
        assert lines[1:] == ["001.jpg: 202 accepted"]
        assert [request.seq for request in server.requests] == [0, 1]

    @pytest.mark.parametrize("how", ["silent", "header drips", "body drips"])
    def test_the_timeout_is_for_the_whole_exchange(self, how: str, make_folder: MakeFolder) -> None:
        def handle(connection: socket.socket, _number: int) -> None:
            if next(iter(Requests(connection)), None) is None:
                return
            if how == "silent":
                ended.wait(60)
            start = b"HTTP/1.1 202 Accepted\r\n"
            if how == "header drips":
                connection.sendall(start + b"X-Slow: ")
            else:
                connection.sendall(start + b"Content-Length: 1000\r\n\r\n")
            while not ended.wait(0.05):
                connection.sendall(b"x")

        ended = threading.Event()
        with RawServer(handle) as server:
            try:
                status, lines = self.run(
                    *(make_folder(1), "--timeout", 0.5),
                    url=f"http://127.0.0.1:{server.port}",
                    seconds=15,
                )
            finally:
                ended.set()

        assert status == 3
        assert lines == ["000.jpg: no reply, no whole reply within 0.5 s"]

    def test_a_wait_comes_on_top_of_the_timeout(self, make_folder: MakeFolder) -> None:
        with ScriptedServer(lambda request: Answer(silent=True)) as server:
            status, lines = self.run(
                make_folder(1), "--timeout", 0.5, "--wait", 0.25, url=server.url
            )

        assert (status, lines) == (3, ["000.jpg: no reply, no whole reply within 0.75 s"])

    def test_a_redirect_is_refused_and_nobody_else_gets_the_frame(
        self, make_folder: MakeFolder
    ) -> None:
        with (
            ScriptedServer() as other,
            ScriptedServer([Answer(307, b"", {"Location": f"{other.url}/x"})]) as server,
        ):
            status, lines = self.run(make_folder(1), url=server.url)

        assert status == 1
        assert lines == [
            f"000.jpg: 307 refused redirects to '{other.url}/x', which is not followed"
        ]
        assert other.requests == []

    def test_a_receiver_that_comes_later_is_found_and_the_books_close(
        self, make_folder: MakeFolder
    ) -> None:
        port = free_port()
        with self.start(
            *(make_folder(20), "--latest", "--loop", "--fps", 50), url=f"http://127.0.0.1:{port}"
        ) as program:
            program.wait_for("no reply, no connection")
            with ScriptedServer(port=port) as server:
                server.wait_for(5)
                assert program.stop(signal.SIGINT) == 3

        books = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", program.lines[-1])}
        assert set(books) == {*("captured", "posted", "superseded", "refused", "failed", "thinned")}
        assert books["posted"] == len(server.requests)
        assert books["captured"] == books["posted"] + books["superseded"] + books["failed"]
        seqs = [int(request.headers["x-frame-seq"]) for request in server.requests]
        assert seqs == sorted(set(seqs))

    def test_a_folder_can_go_through_as_the_newest_frames_only(
        self, make_folder: MakeFolder, witness: Receiver
    ) -> None:
        status, lines = self.run(
            *(make_folder(12), "--latest", "--wait", 10, "--camera", "latest"), url=witness.url
        )

        assert status == 0
        assert [result(line)["number"] for line in lines[:-1]][-1] == 11
        assert "captured=12" in lines[-1]

    def test_the_content_type_is_the_files(self, make_folder: MakeFolder) -> None:
        folder = make_folder(0)
        (folder / "a.PNG").write_bytes(b"\x89PNG")
        (folder / "b.webp").write_bytes(b"RIFF")
        (folder / "c.txt").write_bytes(b"no picture")
        with ScriptedServer() as server:
            self.run(folder, url=server.url)

        assert [request.headers["content-type"] for request in server.requests] == [
            "image/png",
            "image/webp",
        ]

    def test_what_is_wrong_on_the_command_line_is_said_in_one_line(
        self, make_folder: MakeFolder
    ) -> None:
        folder = make_folder(1)
        wrong: list[tuple[list[object], str, str]] = [
            ([folder, "--camera", "a/b"], "http://127.0.0.1:1", "camera"),
            ([folder], "127.0.0.1:8000", "url"),
            ([folder / "none"], "http://127.0.0.1:1", "folder"),
            ([folder, "--fps", "fast"], "http://127.0.0.1:1", "fps"),
        ]
        for arguments, url, word in wrong:
            status, lines = self.run(*arguments, url=url)

            assert status == 2, lines
            assert word in lines[-1]
            assert "Traceback" not in "\n".join(lines)


def result(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line[line.index("{") :])
    return found
