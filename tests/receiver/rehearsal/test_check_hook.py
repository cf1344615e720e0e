"""What --check-hook says of hooks that work and of those that do not."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest

from receiver.rehearsal.check_hook import check_hook
from receiver.rehearsal.remedy import remedy, users_part
from shared import codec, pattern
from shared.errors import ConfigError
from tests.program import Program


def check(
    folder: Path,
    source: str,
    target: str = "my_check:process",
    *,
    picture: Path | None = None,
    timeout: float = 10.0,
    setup_timeout: float = 30.0,
) -> tuple[int, str]:
    """Return the exit status and the sheet for a hook with this source."""
    (folder / "my_check.py").write_text(source, encoding="utf-8")
    out = io.StringIO()
    status = check_hook(
        target,
        picture,
        out,
        hook_path=[str(folder)],
        timeout=timeout,
        setup_timeout=setup_timeout,
        quality=80,
    )
    return status, out.getvalue()


def test_a_hook_that_works_is_described(tmp_path: Path) -> None:
    status, said = check(
        tmp_path,
        """
class Door:
    stateful = True

    def setup(self):
        self.count = 0

    def process(self, frame):
        self.count += 1
        return {"seen": self.count, "size": [frame.width, frame.height]}, frame.image
""",
        "my_check:Door",
    )

    assert status == 0
    assert said.startswith("my_check:Door: works\n")
    assert '{"seen": 10, "size": [1280, 720]}' in said
    assert "drawn      1280x720" in said
    assert "stateful: each camera keeps to one worker" in said
    assert " MiB at most" in said
    assert f"start      python -m receiver --hook my_check:Door --hook-path {tmp_path}" in said


def test_a_picture_of_ones_own_is_used(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(codec.encode(pattern.draw(1, 320, 240), 80))

    status, said = check(tmp_path, "def process(frame): return frame.width", picture=photo)

    assert (status, "result     320\n" in said) == (0, True)
    assert "picture    320x240, image/jpeg" in said


def test_a_long_result_is_shortened(tmp_path: Path) -> None:
    _, said = check(tmp_path, "def process(frame): return list(range(10000))")

    assert " characters)" in said
    assert len(said) < 1500


def test_a_hook_that_returns_nothing_is_told_of(tmp_path: Path) -> None:
    status, said = check(tmp_path, "def process(frame): pass")

    assert (status, "it returned None" in said) == (0, True)


@pytest.mark.parametrize(
    ("source", "problem", "change"),
    [
        ("import no_such_module", "No module named 'no_such_module'", "install no_such_module"),
        ("def process(frame) return 1", "my_check.py:1: SyntaxError", "mend that line"),
        ("def process(frame): return frame.shape", "no attribute 'shape'", "frame.image"),
        (
            "import cv2\ndef process(frame): return cv2.cvtColor(frame, 6).mean()",
            "cvtColor",
            "give OpenCV and numpy the picture, frame.image",
        ),
        (
            "import numpy as np\ndef process(frame): return float(np.add(frame, 1))",
            "Frame",
            "frame.image",
        ),
        ("def process(frame): return object()", "hook returned", "return a dict, list"),
        ("async def process(frame): ...", "is async", "with def, not async def"),
        ("def process(): ...", "to take one argument", "def process(frame):"),
        ("import os\ndef process(frame): os._exit(3)", "exit code 3", "leave out sys.exit"),
        ("import os\ndef process(frame): os.kill(os.getpid(), 11)", "signal 11", "a library"),
        ("import os\ndef process(frame): os.kill(os.getpid(), 9)", "signal 9", "memory"),
        ("def door(frame): ...", "has no 'process'", "name the function behind the colon"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_change(
    source: str, problem: str, change: str, tmp_path: Path
) -> None:
    status, said = check(tmp_path, source)

    assert status == 1
    assert said.startswith("my_check:process: does not work\n")
    assert problem in said
    assert change in said.partition("  change ")[2]
    assert "start   " not in said


def test_the_traceback_shows_the_users_lines_only(tmp_path: Path) -> None:
    _, said = check(
        tmp_path,
        "import json\n\ndef process(frame):\n    return json.loads('{') # mine\n",
    )

    assert "# mine" in said
    assert "json/decoder.py" not in said
    assert "answer.py" not in said
    assert "JSONDecodeError" in said


def test_a_hook_that_hangs_is_given_up(tmp_path: Path) -> None:
    status, said = check(tmp_path, "def process(frame):\n    while True: pass", timeout=0.3)

    assert status == 1
    assert "hook took longer than 0.3 s" in said
    assert "--hook-timeout" in said


def test_a_setup_that_hangs_is_given_up(tmp_path: Path) -> None:
    source = (
        "class Door:\n"
        "    def setup(self):\n        while True: pass\n"
        "    def process(self, frame): ...\n"
    )
    status, said = check(tmp_path, source, "my_check:Door", setup_timeout=2.0)

    assert status == 1
    assert "setup took longer than 2 s" in said
    assert "--hook-setup-timeout" in said


def test_a_hook_or_a_picture_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no module"):
        check(tmp_path, "", "no_such_hook:process")
    with pytest.raises(ConfigError, match=r"check-picture: .*No such file"):
        check(tmp_path, "def process(frame): ...", picture=tmp_path / "none.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(ConfigError, match="expected a JPEG, PNG or WebP"):
        check(tmp_path, "def process(frame): ...", picture=tmp_path / "text.jpg")


def test_a_hook_that_prints_more_than_a_pipe_holds_goes_on(tmp_path: Path) -> None:
    status, _ = check(tmp_path, "def process(frame): print('words ' * 40_000); return 1")

    assert status == 0


def test_an_error_that_says_it_all_gets_no_remedy() -> None:
    assert remedy("ValueError: no face (face.py:4)", "") is None


def test_lines_of_libraries_are_left_out_and_what_is_no_line_of_code_stays() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/home/me/door.py", line 3, in process\n'
        "    model(frame)\n"
        '  File "/venv/lib/python3.11/site-packages/torch/nn.py", line 9, in forward\n'
        "    raise RuntimeError\n"
        "RuntimeError: mat1\n> more of it"
    )

    assert users_part(trace) == (
        "Traceback (most recent call last):\n"
        '  File "/home/me/door.py", line 3, in process\n'
        "    model(frame)\n"
        "RuntimeError: mat1\n> more of it"
    )


def test_the_program_says_it_and_ends() -> None:
    with Program("receiver", "--check-hook", "hooks.motion:Motion") as program:
        assert program.wait(seconds=30) == 0
    assert program.lines[0] == "hooks.motion:Motion: works"

    with Program("receiver", "--check-hook", "hooks.moton:Motion") as program:
        assert program.wait(seconds=30) == 2
    assert "did you mean 'motion'?" in program.output


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(
        "def process(frame):\n    print('hangs', flush=True)\n    while True: pass\n"
    )
    arguments = ("--check-hook", "hanging", "--hook-path", str(tmp_path), "--hook-timeout", "60")
    with Program("receiver", *arguments) as program:
        program.wait_for("hangs")
        assert program.stop(signal.SIGINT) == 1

    assert "stopped before it was done" in program.output
    assert "Traceback" not in program.output
