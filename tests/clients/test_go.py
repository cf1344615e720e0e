from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.compiled_contract import CompiledContract, readme_program, tried_anew
from tests.conftest import MakeFrame, missing
from tests.program import ROOT, Receiver

FOLDER = ROOT / "clients" / "go"
INSTALL = "apt-get install golang-go gcc libc6-dev"


@pytest.fixture(scope="module", autouse=True)
def go(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment to run Go in: without the network."""
    if shutil.which("go") is None:
        missing("go", INSTALL)
    if shutil.which("gcc") is None:
        missing("gcc, for Go's race detector,", INSTALL)
    env = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    if "HOME" not in env:
        env["GOCACHE"] = str(tmp_path_factory.mktemp("go-cache"))
    return env


def run(*command: str, env: dict[str, str], cwd: Path = FOLDER) -> str:
    """Run to a good end; return the output."""
    ran = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


class TestExample(CompiledContract):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _compile(cls, go: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
        program: Path = tmp_path_factory.mktemp("go") / "example"
        # The race detector ends a program in which two goroutines meet at an unguarded place.
        run("go", "build", "-race", "-o", str(program), "./example", env=go)
        cls.command = (str(program),)

    test_a_frame_that_met_a_connection_at_its_end_goes_over_a_new_one = tried_anew


def test_the_readmes_program_works(
    go: dict[str, str], witness: Receiver, make_frame: MakeFrame, tmp_path: Path
) -> None:
    program = readme_program(FOLDER, witness.url)
    (tmp_path / "main.go").write_text(program, encoding="utf-8")
    (tmp_path / "go.mod").write_text("module yourmodule\n\ngo 1.18\n", encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(make_frame(41).data)
    (tmp_path / "framepost").mkdir()
    for name in ("framepost.go", "latest.go"):
        shutil.copy(FOLDER / name, tmp_path / "framepost")

    said = run("go", "run", ".", env=go, cwd=tmp_path)

    assert said.startswith("processed {")
    assert '"number": 41' in said
    assert run("gofmt", "-l", ".", env=go, cwd=tmp_path) == ""


def test_its_own_tests_pass_under_the_race_detector(go: dict[str, str]) -> None:
    run("go", "test", "-race", "-count=1", "./...", env=go)


def test_it_is_formatted_and_nothing_looks_wrong(go: dict[str, str]) -> None:
    assert run("gofmt", "-l", ".", env=go) == ""
    assert run("go", "vet", "./...", env=go) == ""


def test_it_needs_nothing_but_the_standard_library(go: dict[str, str]) -> None:
    assert run("go", "list", "-m", "all", env=go).split() == ["framepost"]
