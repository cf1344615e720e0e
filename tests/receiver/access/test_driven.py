"""No request makes the receiver open a file or a URL, start a process or import what it names."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from os.path import normpath
from pathlib import Path

import pytest

from tests.program import ROOT

#: What only a hook's own thread does, when it starts the hook that is set.
HOOK = "receiver.hooking.hook_process"
OPENED = ("open", "os.listdir", "os.scandir", "os.remove", "os.mkdir", "os.rmdir")
GRAVE = ("import", "exec", "compile", "subprocess.Popen", "os.system", "socket.connect")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    planted = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
    (tmp_path / "planted.py").write_text(planted, encoding="utf-8")
    return tmp_path


def offences(folder: Path, url: str, *more: str) -> list[str]:
    """Return what the receiver did, besides what it may: see `is_allowed`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.receiver.access.driven", str(folder), url, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["routes"] >= (1 if more else 60)
    assert told["seen"], "the audit hook was told nothing"
    return [
        f"{thread}: {event} {what}"
        for thread, event, what in told["seen"]
        if not is_allowed(thread, event, what, folder)
    ]


def is_allowed(thread: str, event: str, what: str, folder: Path) -> bool:
    """Say whether it is one of the files that routes are for, or what the threads do anyway."""
    if thread != "MainThread":
        is_hook = event == "subprocess.Popen" and HOOK in what and "planted" not in what
        return is_hook or (event not in GRAVE and str(folder / "secret") not in what)
    path = normpath(what.split(" ")[0] if event == "open" else what)
    may = (
        f"{folder}/records",  # /recordings
        f"{ROOT}/receiver/view/static/",
        f"{ROOT}/docs/openapi.yaml",
        "/dev/shm/",  # regions of KServe, whose names cannot leave it
        "/proc/",  # the process's own figures, for /metrics
    )
    return event in OPENED and f"{path}/".startswith(tuple(may))


def test_whatever_is_asked_nothing_is_opened_reached_started_or_imported(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        found = offences(folder, f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(BlockingIOError):
            listener.accept()

    assert found == []
    assert not (folder / "ran").exists()


def test_a_route_that_did_would_be_found(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()  # refused
        found = "\n".join(offences(folder, url, "holes"))

    for told in ("open", "socket.connect", "subprocess.Popen", "exec"):
        assert f"MainThread: {told} " in found
    assert (folder / "ran").exists()
