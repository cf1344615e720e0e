"""A copy of the working tree, in which the product may be changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

#: What the tests of a module may read.
FOLDERS = ("shared", "sender", "receiver", "camera", "hooks", "clients", "tests", "docs")


def copy_to(folder: Path) -> None:
    """Copy what git knows of, or would, into `folder`."""
    listed = subprocess.run(
        [*("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "--", *FOLDERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ["pyproject.toml", *filter(None, listed.stdout.split("\0"))]:
        if not (ROOT / name).is_file():
            continue  # removed, but not yet in git
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
