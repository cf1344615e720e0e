from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared import pattern
from tests.clients.compiled_contract import CompiledContract, readme_program, tried_anew
from tests.clients.conftest import MakeFolder
from tests.clients.servers import Answer, ScriptedServer, accepted, problem, processed
from tests.conftest import MakeFrame, missing
from tests.program import ROOT, Command, Receiver

FOLDER = ROOT / "clients" / "cpp"
CLIENT = sorted(FOLDER.glob("framepost*.cpp"))
CHECKS = ROOT / "tests" / "clients" / "checks.cpp"
STRICT = ("-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")
#: Ends a program that reads where it must not, with a report.
CAREFUL = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O1")
RACES = ("-fsanitize=thread", "-g1", "-O1")

Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return what compiles a program with the client, and gives its path."""
    if shutil.which("g++") is None:
        missing("g++", "apt-get install g++")
    if shutil.which("curl-config") is None:
        missing("libcurl's header", "apt-get install libcurl4-openssl-dev")

    objects: dict[tuple[str, ...], list[str]] = {}

    def compile(options: tuple[str, ...], *arguments: str) -> None:
        command = ["g++", *STRICT, *options, f"-I{FOLDER}", *arguments]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (built.returncode, built.stderr) == (0, "")

    def build(source: Path, *options: str) -> Path:
        program = tmp_path_factory.mktemp("cpp") / source.stem
        if options not in objects:
            for file in CLIENT:
                compile(options, "-c", str(file), "-o", str(program.with_name(f"{file.stem}.o")))
            objects[options] = [str(file) for file in program.parent.glob("*.o")]
        compile(options, str(source), *objects[options], "-lcurl", "-pthread", "-o", str(program))
        _check_kernel(program)
        return program

    return build


def _check_kernel(program: Path) -> None:
    tried = subprocess.run([program, "--help"], capture_output=True, check=False)
    if b"unexpected memory mapping" in tried.stderr:
        missing("a memory layout that g++'s sanitizers know", "sysctl vm.mmap_rnd_bits=28")


class TestExample(CompiledContract):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _compile(cls, build: Build) -> None:
        cls.command = (str(build(FOLDER / "example.cpp", *CAREFUL)),)

    test_a_frame_that_met_a_connection_at_its_end_goes_over_a_new_one = tried_anew


def test_its_threads_do_not_race(build: Build, make_folder: MakeFolder) -> None:
    class Example(CompiledContract):
        command = (str(build(FOLDER / "example.cpp", *RACES)),)

    Example().test_many_answers_that_break_off_leave_the_books_closed(make_folder)


def test_the_readmes_program_works(
    build: Build, witness: Receiver, make_frame: MakeFrame, tmp_path: Path
) -> None:
    source = tmp_path / "door.cpp"
    source.write_text(readme_program(FOLDER, witness.url), encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(make_frame(41).data)

    said = subprocess.run([build(source)], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout.startswith("processed {")
    assert '"number": 41' in said.stdout


class TestClient:
    @pytest.fixture(scope="class")
    @staticmethod
    def checks(build: Build) -> Path:
        return build(CHECKS, *CAREFUL)

    @pytest.mark.parametrize("name", ["replies", "locales"])
    def test_a_reply_is_read_wherever_the_program_runs(self, name: str, checks: Path) -> None:
        wish = "fps=7.5; size=640x360; quality=70" if name == "replies" else "fps=2.5"
        result = {"faces": 2}
        with ScriptedServer(lambda r: processed(r, result, X_Frame_Control=wish)) as server:
            passes(checks, name, server.url)

        assert server.requests[0].headers["prefer"] == "wait=1.5"

    def test_refusals_and_trouble_are_told_apart(self, checks: Path) -> None:
        # A kept connection that ends without a word is tried anew once; then it is trouble.
        ends = [Answer(cut=0)] * 2
        answers = [problem(503, "not now", Retry_After="100"), *ends, Answer(silent=True)]
        with ScriptedServer(answers) as server:
            passes(checks, "errors", server.url)

    def test_rows_of_pixels_may_be_padded(self, checks: Path, witness: Receiver) -> None:
        picture = np.pad(pattern.draw(41, 160, 120), ((0, 0), (0, 40), (0, 0)), mode="reflect")

        passes(checks, "strides", witness.url, given=picture.tobytes())

    @pytest.mark.parametrize("name", ["settings", "json"])
    def test_what_is_wrong_is_told_at_once(self, name: str, checks: Path) -> None:
        passes(checks, name, "")

    def test_a_sender_can_be_closed_by_anybody_and_sends_what_waits(
        self, checks: Path, build: Build
    ) -> None:
        with ScriptedServer(accepted) as server:
            passes(checks, "closing", server.url)
            passes(build(CHECKS, *RACES), "closing", server.url)

        assert [r.seq for r in server.requests if r.connection == server.connections - 1][-1] == 99

    def test_the_last_frame_has_no_more_than_the_rest_of_the_time_to_close(
        self, checks: Path
    ) -> None:
        closing = threading.Event()
        answers = [Answer(202, {"state": "accepted"}, after=closing), Answer(silent=True)]
        with (
            ScriptedServer(answers) as server,
            Command(str(checks), "deadline", server.url) as program,
        ):
            program.wait_for("closing")
            closing.wait(0.1)  # so that less is left
            closing.set()
            assert program.wait(seconds=90) == 0, program.output


def passes(checks: Path, name: str, url: str, *, given: bytes = b"") -> None:
    ran = subprocess.run(
        [str(checks), name, url],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout.decode()
