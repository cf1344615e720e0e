"""The program of docs/live.md does what the page says, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import requests

from shared import jpeg
from tests.conftest import MakeFrame
from tests.program import ROOT, Receiver


def test_the_page_holds_a_program_that_reads_a_picture_of_each_camera(
    tmp_path: Path, make_frame: MakeFrame
) -> None:
    page = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "pictures.py").write_text(found[1], encoding="utf-8")

    with Receiver() as receiver:
        for name in ("door", "yard"):
            frame = make_frame(7, width=1280, height=720)
            headers = {"Content-Type": "image/jpeg", "X-Frame-Seq": "7"}
            url = f"{receiver.url}/cameras/{name}/frames"
            assert requests.post(url, frame.data, headers=headers, timeout=30).status_code == 202
        run = subprocess.run(
            [sys.executable, "-W", "error", "pictures.py", receiver.url],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (run.returncode, run.stderr) == (0, "")
    lines = sorted(run.stdout.splitlines())
    assert len(lines) == 2
    assert all(
        re.fullmatch(rf"{name}: frame 7, [0-9.]+ s old, live", line)
        for name, line in zip(("door", "yard"), lines, strict=True)
    )
    sizes = [jpeg.read_header((tmp_path / f"{n}.jpg").read_bytes()) for n in ("door", "yard")]
    assert [(size.width, size.height) for size in sizes] == [(640, 360)] * 2
