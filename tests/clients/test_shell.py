from __future__ import annotations

import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.conftest import SECRET, MakeFolder, blocks
from tests.clients.servers import (
    Answer,
    ScriptedServer,
    accepted,
    failed,
    problem,
    processed,
)
from tests.conftest import missing
from tests.program import ROOT, Command, Receiver
from tests.sender.doubles import free_port

SCRIPT = str(ROOT / "clients" / "shell" / "send.sh")


@pytest.fixture(autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        missing("curl", "apt-get install curl")


@pytest.fixture(params=["sh", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(name) is None:
        missing(name, f"apt-get install {name}")
    return name


def send(
    *arguments: object, shell: str = "sh", token: str = "", cwd: Path = ROOT
) -> tuple[int, list[str]]:
    """Return the exit status and the lines."""
    environment = {"FRAMEPOST_TOKEN": token} if token else {}
    with Command(shell, SCRIPT, *map(str, arguments), env=environment, cwd=cwd) as program:
        status = program.wait(seconds=90)
    return status, program.lines


def said(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line[line.index("{") :])
    return found


def test_the_number_in_the_pixels_comes_back_in_the_result(
    make_folder: MakeFolder, witness: Receiver, shell: str
) -> None:
    files = sorted(make_folder(5, first=7).iterdir())
    status, lines = send("-w", 10, witness.url, f"shell-{shell}", *files, shell=shell)

    assert status == 0, lines
    assert [line.partition(" {")[0] for line in lines] == [f"{file}: 200" for file in files]
    assert [said(line)["result"]["number"] for line in lines] == [7, 8, 9, 10, 11]


def test_a_receiver_that_asks_for_a_token_gets_it(
    make_folder: MakeFolder, guarded: Receiver
) -> None:
    (file,) = make_folder(1).iterdir()
    status, lines = send(guarded.url, "a", file, token=SECRET)
    assert (status, lines[0].partition(" {")[0]) == (0, f"{file}: 202")

    status, lines = send(guarded.url, "a", file)
    assert status != 0
    assert "token: expected one in the header Authorization, got none" in lines[0]


def test_the_lines_of_the_readme_work(
    make_folder: MakeFolder, witness: Receiver, tmp_path: Path
) -> None:
    make_folder(1, first=5)
    (tmp_path / "pictures" / "005.jpg").rename(tmp_path / "photo.jpg")
    readme = ROOT / "clients" / "shell" / "README.md"
    lines = "".join(blocks(readme, "sh", url=witness.url)).splitlines()
    told = {}
    for line in (line for line in lines if line.startswith("curl")):
        with Command("sh", "-c", f"{line} -sS --fail", cwd=tmp_path) as program:
            assert program.wait() == 0, program.output
        told[line.split()[1]] = program.output

    assert '"state": "processed"' in told["--data-binary"]
    assert '"number": 5' in told["--data-binary"]
    assert '"accepted"' in told["-F"]
    assert (tmp_path / "newest.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()


def test_ffmpeg_sends_a_video_as_the_readme_says(witness: Receiver, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        missing("ffmpeg", "apt-get install ffmpeg")
    readme = ROOT / "clients" / "shell" / "README.md"
    lines = "".join(blocks(readme, "sh", url=witness.url)).splitlines()
    line = next(line for line in lines if "-i clip.mp4" in line).replace("/door/", "/clip/")
    make = "ffmpeg -f lavfi -i testsrc=duration=1:rate=25:size=320x240 clip.mp4"
    for command in (make, line):
        with Command("sh", "-c", f"{command} -nostdin -loglevel error", cwd=tmp_path) as program:
            assert program.wait() == 0, program.output

    assert requests.get(f"{witness.url}/cameras/clip", timeout=30).json()["received"] == 25


def test_all_files_go_through_one_connection_each_with_its_envelope(
    make_folder: MakeFolder, shell: str
) -> None:
    files = sorted(make_folder(4).iterdir())
    with ScriptedServer() as server:
        status, lines = send(server.url + "/", "door", *files, shell=shell)

    assert status == 0, lines
    assert server.connections == 1
    requests = server.requests
    assert {request.target for request in requests} == {"/cameras/door/frames"}
    assert [request.body for request in requests] == [file.read_bytes() for file in files]
    assert [request.seq for request in requests] == [0, 1, 2, 3]
    assert len({request.epoch for request in requests}) == 1
    assert len(requests[0].epoch or "") == 16
    for request in requests:
        assert request.headers["content-type"] == "image/jpeg"
        for absent in ("prefer", "authorization", "expect"):
            assert absent not in request.headers


def test_options_become_the_headers_and_the_query(make_folder: MakeFolder) -> None:
    (file,) = make_folder(1).iterdir()
    with ScriptedServer() as server:
        raw = 'application/x-raw-gray; width=2; height="2"'
        send("-e", "-w", 0.25, "-t", raw, server.url, "a", file, token='a"b\\c')

    (request,) = server.requests
    assert request.query == {"mode": "every"}
    assert request.headers["prefer"] == "wait=0.25"
    assert request.headers["content-type"] == raw
    assert request.headers["authorization"] == 'Bearer a"b\\c'


def test_the_token_is_in_no_process_s_arguments(make_folder: MakeFolder) -> None:
    (file,) = make_folder(1).iterdir()
    arguments = ""

    def look(request: Any) -> Answer:
        nonlocal arguments
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            arguments += process.read_text("utf-8", "replace")
        return accepted(request)

    with ScriptedServer(look) as server:
        send(server.url, "a", file, token="a-very-secret-token")

    assert server.requests[0].headers["authorization"] == "Bearer a-very-secret-token"
    assert SCRIPT in arguments
    assert "a-very-secret-token" not in arguments


def test_the_file_s_name_says_what_it_is_and_may_be_any(tmp_path: Path, shell: str) -> None:
    names = ["a.PNG", "b.webp", 'c "d" \\e,f;g ä.jpg', "-", "@h"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    with ScriptedServer() as server:
        status, lines = send(server.url, "a", *names, shell=shell, cwd=tmp_path)

    assert status == 0, lines
    assert [request.body.decode() for request in server.requests] == names
    assert [request.headers["content-type"] for request in server.requests] == [
        *("image/png", "image/webp"),
        *("image/jpeg", "image/jpeg", "image/jpeg"),
    ]
    assert [line.partition(": 202 {")[0] for line in lines] == names


def test_what_is_refused_is_told_in_the_receiver_s_words_and_the_next_file_goes(
    make_folder: MakeFolder, witness: Receiver, shell: str
) -> None:
    folder = make_folder(3)
    (folder / "001.jpg").write_bytes((folder / "001.jpg").read_bytes()[:400])

    files = sorted(folder.iterdir())
    status, lines = send("-w", 10, witness.url, f"refused-{shell}", *files, shell=shell)

    assert status == 1
    assert [line.split()[1] for line in lines] == ["200", "422", "200"]
    assert said(lines[1])["detail"].startswith("image: the JPEG is cut off; 400 bytes")


def test_a_picture_that_is_too_large_is_refused_with_the_reason(
    tmp_path: Path, witness: Receiver
) -> None:
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(bytes(17 << 20))
    status, (line,) = send(witness.url, "huge", huge)

    assert status == 1
    assert said(line)["detail"].startswith("body: expected at most 16777216 bytes")


def test_an_answer_in_several_lines_is_told_in_one(make_folder: MakeFolder, shell: str) -> None:
    files = sorted(make_folder(2).iterdir())
    page = Answer(404, b"<h1>Not\n\nhere %s \\n</h1>\n", {"Content-Type": "text/html"})
    with ScriptedServer([page]) as server:
        status, lines = send(server.url, "a", *files, shell=shell)

    assert status == 1
    assert lines[0] == f"{files[0]}: 404 <h1>Not  here %s \\n</h1>"
    assert lines[1].startswith(f"{files[1]}: 202 {{")


def test_a_hook_that_failed_and_a_redirect_are_refusals(make_folder: MakeFolder) -> None:
    (file,) = make_folder(1).iterdir()
    with ScriptedServer() as other:
        moved = Answer(307, b"", {"Location": f"{other.url}/x"})
        with ScriptedServer(lambda request: failed(request, "no face")) as server:
            status, lines = send(server.url, "a", file)
            assert (status, said(lines[0])["error"]) == (1, "no face")
        with ScriptedServer([moved]) as server:
            assert send(server.url, "a", file) == (1, [f"{file}: 307 "])

    assert other.requests == []


def test_an_answer_that_is_no_receiver_s_is_trouble(make_folder: MakeFolder) -> None:
    (file,) = make_folder(1).iterdir()
    with ScriptedServer([Answer(200, b"<html>")]) as server:
        status, lines = send(server.url, "a", file)

    assert status == 3
    assert lines == [f"{file}: 200 expected a Framepost receiver's reply, got <html>"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(silent=True), "timed out"),
        (Answer(200, b"x" * 1000, drip=0.05), "timed out"),
        (Answer(cut=0), "Empty reply"),
        (Answer(200, b"x" * 1000, cut=200), "transfer closed"),
    ],
    ids=["silent", "drips", "nothing", "half"],
)
def test_network_trouble_is_told_apart_and_the_next_file_goes(
    answer: Answer, words: str, make_folder: MakeFolder, shell: str
) -> None:
    files = sorted(make_folder(2).iterdir())
    with ScriptedServer([answer]) as server:
        status, lines = send("-m", 0.5, "-w", "0.1", server.url, "a", *files, shell=shell)

    assert status == 3
    assert lines[0].startswith(f"{files[0]}: no reply, ")
    assert words in lines[0]
    assert lines[1].startswith(f"{files[1]}: 202 {{")


def test_trouble_outweighs_a_refusal(make_folder: MakeFolder) -> None:
    files = sorted(make_folder(2).iterdir())
    with ScriptedServer([Answer(cut=0), problem(422, "no")]) as server:
        status, lines = send(server.url, "a", *files)

    assert status == 3
    assert "422" in lines[1]


def test_where_nobody_listens_it_says_so(make_folder: MakeFolder) -> None:
    files = sorted(make_folder(2).iterdir())
    status, lines = send(f"http://127.0.0.1:{free_port()}", "a", *files)

    assert status == 3
    assert len(lines) == 2
    assert all(": no reply, " in line for line in lines)


def test_each_result_is_printed_when_it_comes(make_folder: MakeFolder) -> None:
    files = sorted(make_folder(2).iterdir())
    later = threading.Event()

    def answer(request: Any) -> Answer:
        content = processed(request, 1)
        return content if request.seq == 0 else Answer(200, content.body, after=later)

    with (
        ScriptedServer(answer) as server,
        Command("sh", SCRIPT, server.url, "a", *map(str, files)) as program,
    ):
        program.wait_for(r"000.jpg: 200 \{.*processed")
        later.set()
        assert program.wait() == 0


def test_proxies_and_curlrc_are_not_heeded(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = make_folder(1).iterdir()
    (tmp_path / ".curlrc").write_text('header = "X-Curlrc: read"\n', encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("CURL_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with ScriptedServer() as server:
        status, lines = send(server.url, "a", file)

    assert status == 0, lines
    assert "x-curlrc" not in server.requests[0].headers


def test_a_big_picture_does_not_wait_to_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(bytes(3 << 20))
    with ScriptedServer() as server:
        send(server.url, "a", tmp_path / "big.jpg")

    assert len(server.requests[0].body) == 3 << 20
    assert "expect" not in server.requests[0].headers


def test_what_is_wrong_in_the_call_is_said_in_one_line(tmp_path: Path, shell: str) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    url = "http://127.0.0.1:1"
    wrong: list[tuple[list[str], str]] = [
        ([], "usage: send.sh"),
        ([url, "a"], "usage: send.sh"),
        (["-x", url, "a", "a.jpg"], "usage: send.sh"),
        ([url, "a", "a.jpg", "-w"], "-w: expected a file that can be read"),
        (["127.0.0.1:8000", "a", "a.jpg"], "URL: expected http://HOST:PORT, got '127.0.0.1:8000'"),
        ([url, "a/b", "a.jpg"], "CAMERA: expected letters"),
        ([url, "a", "b.jpg"], "b.jpg: expected a file that can be read"),
        (["-w", "long", url, "a", "a.jpg"], "-w: expected seconds, got 'long'"),
        (["-m", "1.2.3", url, "a", "a.jpg"], "-m: expected seconds, got '1.2.3'"),
        (["-t", "a\nb", url, "a", "a.jpg"], "expected one line each"),
    ]
    for arguments, words in wrong:
        status, lines = send(*arguments, shell=shell, cwd=tmp_path)

        assert (status, len(lines)) == (2, 1), lines
        assert lines[0].startswith("send.sh: ")
        assert words in lines[0]


def test_shellcheck_finds_nothing() -> None:
    program = shutil.which("shellcheck") or shutil.which(
        "shellcheck", path=str(Path(sys.executable).parent)
    )
    if program is None:
        missing("shellcheck", "apt-get install shellcheck")
    assert program is not None
    with Command(program, SCRIPT) as check:
        assert check.wait() == 0, check.output
