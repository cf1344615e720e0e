from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.frame import Frame
from receiver.hooking import hooks
from receiver.hooking.hooks import HookError, HookSpec
from tests.conftest import MakeFrame


@pytest.fixture(autouse=True)
def _imports_stay_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a:b", HookSpec("a:b")),
        ("a", HookSpec("a")),
        ("a.b:c", HookSpec("a.b:c")),
        ("my/a.py:b", HookSpec("my/a.py:b")),
        ("cam1=a:b", HookSpec("a:b", "cam1")),
    ],
)
def test_a_spec_names_a_hook_and_perhaps_a_camera(text: str, spec: HookSpec) -> None:
    assert HookSpec.parse(text) == spec


@pytest.mark.parametrize("text", ["", ":f", "a:", "a:b c", "=a:b", "c d=a:b", "cam1="])
def test_a_spec_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(HookError, match=r"^hook .*: expected "):
        HookSpec.parse(text)


@pytest.mark.parametrize(
    "target", ["mine:look", "sub/mine.py:look", "package.mine:look", "extra:look"]
)
def test_a_hook_is_found_wherever_it_may_be(
    tmp_path: Path, make_frame: MakeFrame, target: str
) -> None:
    text = "def look(frame):\n    return frame.seq"
    for name in ("mine.py", "sub/mine.py", "package/mine.py", "far/extra.py"):
        write(tmp_path / name, text)
    write(tmp_path / "package/__init__.py", "")

    hook = hooks.load(target, ["far"])

    assert hook.process(Frame(make_frame(5))) == 5
    assert hook.file == hooks.locate(target, ["far"])
    assert not hook.stateful


def test_a_file_imports_its_neighbours(tmp_path: Path, make_frame: MakeFrame) -> None:
    write(tmp_path / "deep/hook.py", "import beside\ndef process(frame):\n    return beside.X")
    write(tmp_path / "deep/beside.py", "X = 4")

    assert hooks.load("deep/hook.py").process(Frame(make_frame())) == 4


def test_a_class_is_made_and_may_be_stateful(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "class H:\n    stateful = True\n    def process(self, frame): ...")

    hook = hooks.load("a:H")
    hooks.set_up(hook)
    hooks.tear_down(hook)

    assert hook.stateful


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def proces(frame): ...", r"has no 'process'; did you mean 'proces'\?"),
        ("x = 1\n\ndef process(frame:\n", r"/a.py:3: SyntaxError: '\(' was never closed"),
        ("\tx = 1\n  y = 2", r"/a.py:1: IndentationError: unexpected indent"),
        ("import nobody", r"ModuleNotFoundError: No module named 'nobody' \(a.py:1\)"),
        ("\n1 / 0", r"ZeroDivisionError: division by zero \(a.py:2\)"),
        ("process = 5", "expected a function or a class, process is a int"),
        (
            "def process(): ...",
            r"expected process to take one argument, the frame; it is process\(\)",
        ),
        ("async def process(frame): ...", "expected a plain function, process is async"),
        ("class process: ...", r"the class has no method process\(self, frame\)"),
        (
            "class process:\n    def __init__(self, x): ...\n    def process(self, frame): ...",
            "TypeError: process.__init__.. missing 1 required positional argument: 'x'",
        ),
    ],
)
def test_what_is_wrong_with_a_hook_is_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    write(tmp_path / "a.py", text)

    with pytest.raises(HookError, match=sentence) as caught:
        hooks.load("a")

    (problem,) = caught.value.problems
    assert problem.startswith("hook a: ")
    assert "\n" not in problem


def test_an_unknown_module_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "motion.py", "")
    sys.path.insert(0, str(tmp_path))  # as python -m has it
    for target, meant in (
        ("moton:process", "; did you mean 'motion'?"),
        ("zzz", "; it has motion"),
    ):
        with pytest.raises(HookError) as caught:
            hooks.locate(target)
        name = target.partition(":")[0]
        assert str(caught.value) == (
            f"hook {target}: there is no module {name!r} in {tmp_path}{meant}"
        )


def test_an_unknown_file_is_named() -> None:
    with pytest.raises(HookError, match=r"there is no file my/x\.py in "):
        hooks.locate("my/x.py:process")


def test_a_folder_is_no_module(tmp_path: Path) -> None:
    write(tmp_path / "folder/x.py", "")

    with pytest.raises(HookError, match="folder is a folder; name a module in it"):
        hooks.locate("folder")


def test_locating_runs_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "raise SystemExit")

    assert hooks.locate("a:b") == tmp_path / "a.py"


def test_a_hook_with_the_name_of_a_loaded_module_is_told_so(tmp_path: Path) -> None:
    write(tmp_path / "logging.py", "def process(frame): ...")

    with pytest.raises(HookError, match="has the name of a module that Python has loaded already"):
        hooks.load("logging")


def test_a_setup_that_raises_tells_where(tmp_path: Path) -> None:
    write(
        tmp_path / "a.py",
        "class H:\n    def setup(self):\n        raise RuntimeError('no model')\n"
        "    def process(self, frame): ...",
    )

    with pytest.raises(HookError) as caught:
        hooks.set_up(hooks.load("a:H"))

    assert str(caught.value) == "hook a:H: setup: RuntimeError: no model (a.py:3)"
    assert "Traceback" in caught.value.trace
    assert "receiver/hooks.py" not in caught.value.trace
