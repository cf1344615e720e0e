from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.clients.compiled_contract import CompiledContract, readme_program
from tests.clients.servers import Answer, ScriptedServer, accepted, problem, processed
from tests.conftest import MakeFrame, missing
from tests.program import ROOT, Command, Receiver

FOLDER = ROOT / "clients" / "csharp"
CLIENT = [file for file in sorted(FOLDER.glob("*.cs")) if file.name != "Example.cs"]
#: Mono's compiler; the same sources are meant for .NET, as Example.csproj has it.
COMPILER = ("mcs", "-langversion:7", "-warn:4", "-warnaserror", "-r:System.Net.Http.dll")

Build = Callable[[Path], Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return what compiles a program with the client, and gives its path."""
    for name in ("mcs", "mono"):
        if shutil.which(name) is None:
            missing(name, "apt-get install mono-mcs libmono-system-net-http4.0-cil")

    def build(source: Path) -> Path:
        program = tmp_path_factory.mktemp("csharp") / f"{source.stem}.exe"
        built = subprocess.run(
            [*COMPILER, f"-out:{program}", str(source), *map(str, CLIENT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (built.returncode, built.stdout) == (0, "")
        return program

    return build


class TestExample(CompiledContract):
    # Elsewhere Ctrl-C kills a program of Mono's, whatever it would like to do then.
    at_a_terminal: ClassVar = (sys.executable, "-m", "tests.clients.terminal")

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _compile(cls, build: Build) -> None:
        cls.command = ("mono", str(build(FOLDER / "Example.cs")))


def test_the_readmes_program_works(
    build: Build, witness: Receiver, make_frame: MakeFrame, tmp_path: Path
) -> None:
    source = tmp_path / "Door.cs"
    source.write_text(readme_program(FOLDER, witness.url), encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(make_frame(41).data)

    said = subprocess.run(
        ["mono", build(source)], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert said.stdout.startswith("processed {")
    assert '"number": 41' in said.stdout


class TestClient:
    @pytest.fixture(scope="class")
    @staticmethod
    def checks(build: Build) -> Path:
        return build(ROOT / "tests" / "clients" / "Checks.cs")

    def test_a_reply_is_read_wherever_the_program_runs(self, checks: Path) -> None:
        wish = "fps=7.5; size=640x360; quality=70"
        result = {"faces": 2}
        with ScriptedServer(lambda r: processed(r, result, X_Frame_Control=wish)) as server:
            passes(checks, "Replies", server.url)

        assert server.requests[0].headers["prefer"] == "wait=1.5"

    def test_refusals_and_cancellations_are_told_apart(self, checks: Path) -> None:
        answers = [problem(503, "not now", Retry_After="100"), Answer(silent=True)]
        with ScriptedServer(answers) as server:
            passes(checks, "Errors", server.url)

    @pytest.mark.parametrize("name", ["Settings", "Json"])
    def test_what_is_wrong_is_told_at_once(self, name: str, checks: Path) -> None:
        passes(checks, name, "")

    @pytest.mark.parametrize("name", ["Closing", "Bugs", "Many"])
    def test_frames_from_everywhere_and_the_end_are_in_order(self, name: str, checks: Path) -> None:
        with ScriptedServer(accepted) as server:
            passes(checks, name, server.url)

    def test_the_last_frame_has_no_more_than_the_rest_of_the_time_to_close(
        self, checks: Path
    ) -> None:
        closing = threading.Event()
        answers = [Answer(202, {"state": "accepted"}, after=closing), Answer(silent=True)]
        with (
            ScriptedServer(answers) as server,
            Command("mono", str(checks), "Deadline", server.url) as program,
        ):
            program.wait_for("closing")
            closing.wait(0.1)  # so that less is left
            closing.set()
            assert program.wait(seconds=90) == 0, program.output


def passes(checks: Path, name: str, url: str) -> None:
    ran = subprocess.run(
        ["mono", str(checks), name, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
