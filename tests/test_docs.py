"""Every command of the README and of docs/*.md is given, in order, to real programs.

What a page's author has to know for this stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.docs.page import Block, Page
from tests.docs.script import Step, steps
from tests.docs.terminal import Failed, Terminal, save
from tests.docs.workspace import Workspace
from tests.program import ROOT

PAGES = [
    Page.read(path, str(path.relative_to(ROOT)))
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
]
#: What is run: the rest (text, http, output) is looked at by people.
RUN = ("sh", "python", "java", "yaml", "json")
#: How many blocks of all pages may be left out, each with its reason.
MAX_NOT_RUN = 24


def is_run(page: Page) -> bool:
    return any(block.not_run is None for block in page.of("sh", "python"))


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_what_a_page_says_works(page: Page, tmp_path: Path) -> None:
    if not is_run(page):
        return
    workspace = Workspace(tmp_path / "framepost")
    try:
        with Terminal(workspace) as terminal:
            said = ""
            for block in page.of(*RUN):
                if block.not_run is None:
                    for text in block.first:
                        terminal.give(Step(text), block.place)
                    said = run(block, terminal, workspace, before=said)
    finally:
        workspace.close()


def run(block: Block, terminal: Terminal, workspace: Workspace, *, before: str) -> str:
    """Run one block, `before` being what the one before it wrote; return what it wrote."""
    if block.language == "sh":
        return terminal.run(block)
    if block.language == "json" and block.file is None:
        check_answer(block, before)
        return ""
    if block.file is not None:
        save(block, workspace, block.file)
        return ""
    if block.language == "python":
        name = f"block{block.line}"
        save(block, workspace, f"{name}.py")
        is_hook = re.search(r"^ *def process\(", block.text, re.MULTILINE)
        kind = re.search(r"^class (\w+)", block.text, re.MULTILINE)
        what = f":{kind[1]}" if kind else ":process"
        target = f"-m receiver --check-hook {name}{what}" if is_hook else f"{name}.py"
        return terminal.give(Step(f"python {target}"), block.place)
    return ""


def check_answer(block: Block, said: str) -> None:
    """Compare a JSON block that stands right behind a command with what that wrote, by its keys."""
    shown = json.loads(block.text)
    if not said.strip() or not isinstance(shown, dict):
        return
    real = json.loads(said)
    missing = shown.keys() - real.keys()
    assert not missing, f"{block.place}: the answer has no {sorted(missing)}: {said[:500]}"


def test_what_is_not_run_is_little_and_has_a_reason() -> None:
    left_out = [b for page in PAGES for b in page.of("sh", "python") if b.not_run is not None]
    told = "\n".join(f"{block.place}: {block.not_run}" for block in left_out)

    assert all(len(block.not_run or "") > 20 for block in left_out), told
    assert len(left_out) <= MAX_NOT_RUN, told


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    for path in sorted((ROOT / "docs").glob("*.md")):
        assert path.name == "index.md" or f"({path.name})" in index, path.name


def test_commands_are_in_blocks_that_are_run() -> None:
    """A block without a language, or of another name for sh, would slip through."""
    for page in PAGES:
        for block in page.blocks:
            assert block.language not in ("bash", "shell", "console", "zsh"), block.place
            if block.language == "":
                for line in block.text.splitlines():
                    began = line.startswith(("python -m ", "curl ", "docker-compose ", "make "))
                    assert not began or "#" not in line, f"{block.place}: use ```sh"


# The runner itself


def parse(*lines: str) -> Page:
    return Page.parse("\n".join(lines), "page.md")


def test_a_page_is_cut_into_blocks() -> None:
    page = parse(
        "<!-- run first: python -m camera -->",
        "```sh",
        "echo a",
        "```",
        "<!-- not run: it takes",
        "a camera -->",
        "```sh",
        "echo b",
        "```",
        "",
        "```python",
        "# my_hooks/door.py",
        "```",
        "<!-- file: finder.py -->",
        "```python",
        "def process(frame): ...",
        "```",
    )

    assert [(b.line, b.language, b.not_run, b.first, b.file) for b in page.blocks] == [
        (3, "sh", None, ("python -m camera",), None),
        (8, "sh", "it takes a camera", (), None),
        (12, "python", None, (), "my_hooks/door.py"),
        (16, "python", None, (), "finder.py"),
    ]


def test_a_block_is_cut_into_commands() -> None:
    text = "# words\necho a \\\n  b\n\ncat > x <<'EOF'\nfor\nEOF\nfor i in 1; do\n  echo $i\ndone\n"

    assert [step.text for step in steps(text)] == [
        "echo a \\\n  b",
        "cat > x <<'EOF'\nfor\nEOF",
        "for i in 1; do\n  echo $i\ndone",
    ]


@pytest.mark.parametrize(
    ("text", "serves"),
    [
        ("python -m receiver --hook a:b", True),
        ("RECEIVER_TOKEN=x python -m receiver   # words", True),
        ("python -m receiver --check-hook a:b", False),
        ("python -m sender --check testsrc", False),
        ("python -m receiver.top --once", False),
        ("curl http://127.0.0.1:8000/", False),
        ("sleep 9 &", True),
    ],
)
def test_what_goes_on_is_told_from_what_ends(text: str, serves: bool) -> None:
    assert Step(text).serves == serves


def test_ports_are_moved_the_same_way_throughout(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "framepost")
    moved = workspace.translate("curl http://127.0.0.1:8000/a localhost:8001 --port 8000 -x :8000")

    port, other = workspace.port(8000), workspace.port(8001)
    assert moved == f"curl http://127.0.0.1:{port}/a localhost:{other} --port {port} -x :8000"
    assert 8000 not in (port, other)
    workspace.close()


def sh(*lines: str, line: int = 1) -> Block:
    return Block("page.md", line, "sh", "\n".join(lines) + "\n")


def test_a_page_that_lies_fails(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "framepost")
    with Terminal(workspace) as terminal:
        with pytest.raises(Failed, match="ended with 1, expected 0"):
            terminal.run(sh("false"))
        terminal.run(sh("false  # ends with 1"))
        with pytest.raises(Failed, match="unrecognized arguments"):
            terminal.run(sh("python -m receiver --no-such-option"))
    workspace.close()
