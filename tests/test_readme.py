"""What the README and the documents say is run, so that it stays true."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from camera.config import CameraConfig
from receiver.config import ReceiverConfig, WorkerConfig
from receiver.replay.config import ReplayConfig
from sender.config import SenderConfig
from shared.settings import Settings
from tests.conftest import MakeFrame
from tests.program import ROOT, Receiver

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_first_screen_is_within_one_screen() -> None:
    first = README.split("\n## ")[0]

    assert len(first.splitlines()) <= 70
    for word in ("make demo", "docker-compose", "def process(frame)", "curl --data-binary"):
        assert word in first


def test_the_hook_and_the_curl_line_work(tmp_path: Path, make_frame: MakeFrame) -> None:
    hook = next(block for block in blocks("python") if "def process(frame)" in block)
    (tmp_path / "readme_hook.py").write_text(hook, encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(make_frame(1).data)
    lines = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("curl") and "/cameras/door/" in line
    ]
    assert len(lines) == 1

    with Receiver("--hook", "readme_hook:process", "--hook-path", str(tmp_path)) as receiver:
        receiver.wait_for("ready")
        said = subprocess.run(
            [*shlex.split(lines[0].replace("http://127.0.0.1:8000", receiver.url)), "-sS"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    answer = json.loads(said)
    assert answer["state"] == "processed"
    assert set(answer["result"]) == {"faces", "age"}


@pytest.mark.parametrize(
    "config", [SenderConfig, ReceiverConfig, WorkerConfig, ReplayConfig, CameraConfig]
)
def test_every_setting_is_in_the_documents(config: type[Settings]) -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    prefix = config.model_config.get("env_prefix", "")

    # Only in a file, and told there; only without an option.
    for name in set(config.model_fields) - {"cameras", "recording"}:
        assert f"`--{name.replace('_', '-')}`" in text, name
        assert f"`{prefix}{name.upper()}`" in text, name


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_link_to_a_file_leads_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_example_env_names_what_the_compose_file_takes() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?((?:SENDER|RECEIVER)_[A-Z_]+)=", example, re.MULTILINE))
    taken = set(re.findall(r"^ +((?:SENDER|RECEIVER)_[A-Z_]+):", compose, re.MULTILINE))
    settings = {f"SENDER_{name.upper()}" for name in SenderConfig.model_fields} | {
        f"RECEIVER_{name.upper()}" for name in ReceiverConfig.model_fields
    }

    assert named - {"RECEIVER_PUBLISH", "RECEIVER_MEMORY", "SENDER_MEMORY"} == taken
    assert taken <= settings
