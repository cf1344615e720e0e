"""What docs/front-doors.md says is run, so that it stays true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import MakeFrame
from tests.program import ROOT, Receiver

TEXT = (ROOT / "docs" / "front-doors.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("front_doors")


@pytest.fixture(scope="module")
def receiver(folder: Path) -> Iterator[Receiver]:
    """Two hooks: the one to be edited, and for the camera `deepstack` the document's."""
    hook = next(block for block in blocks("python") if block.startswith("def process(frame)"))
    (folder / "finder.py").write_text(hook, encoding="utf-8")
    hooks = ["--hook", "my_hooks.my_hook:process", "--hook", "deepstack=finder"]
    with Receiver(*hooks, "--hook-path", str(folder)) as receiver:
        receiver.wait_for("my_hook.*is ready")
        receiver.wait_for("finder is ready")
        yield receiver


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_python_examples_work(folder: Path, receiver: Receiver, make_frame: MakeFrame) -> None:
    (folder / "photo.jpg").write_bytes(make_frame(1, width=640, height=480).data)
    program = "\n".join(block for block in blocks("python") if "triton" in block)
    assert program.count("client.infer(") == 2
    program = program.replace(ADDRESS, f"127.0.0.1:{receiver.port}")
    program = program.replace('"/frames"', f'"/frames_{os.getpid()}"')

    told = run(folder, sys.executable, "-W", "error", "-c", program).splitlines()

    assert len(told) == 4
    assert all(set(json.loads(line)) == {"brightness"} for line in told)


def test_the_curl_lines_work(folder: Path, receiver: Receiver, make_frame: MakeFrame) -> None:
    (folder / "photo.jpg").write_bytes(make_frame(1, width=640, height=480).data)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) == 2

    inferred, detected = (
        json.loads(
            run(folder, *shlex.split(line.replace(ADDRESS, f"127.0.0.1:{receiver.port}")), "-sS")
        )
        for line in lines
    )

    assert inferred["outputs"][0]["name"] == "result"
    shown = json.loads(blocks("json")[0])
    assert {name: detected[name] for name in shown} == shown


def test_the_setting_for_frigate_names_a_route_that_is_there(
    receiver: Receiver, folder: Path, make_frame: MakeFrame
) -> None:
    (folder / "photo.jpg").write_bytes(make_frame(1, width=640, height=480).data)
    settings = yaml.safe_load(blocks("yaml")[0])["detectors"]["framepost"]
    url = settings["api_url"].replace(ADDRESS, f"127.0.0.1:{receiver.port}")

    told = json.loads(run(folder, "curl", "-sS", "-F", "image=@photo.jpg", url))

    assert "the hook returned" in told["error"], "it came to the hook that is no detector"
