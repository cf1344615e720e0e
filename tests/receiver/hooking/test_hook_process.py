from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import MakeFrame
from tests.receiver.bench import Bench, alive, wait_until

ROOT = Path(__file__).parent.parent.parent.parent

#: A receiver in small: it gives its only frame to a hook, and lives until it is killed.
RECEIVER = """
import sys, time
from receiver.hooking.hooks import HookSpec
from receiver.hub import Hub
from receiver.hooking.runner import Runner
from receiver.hooking.schedule import HubFeeds
from shared import codec, pattern
from shared.frame import EncodedFrame

hub = Hub()
runner = Runner(HubFeeds(hub), [HookSpec.parse("loop_hook")], hook_path=[sys.argv[1]]).start()
picture = codec.encode(pattern.draw(0, 160, 120), 80)
hub.publish(
    EncodedFrame(
        camera="a", epoch="e", seq=0, captured_at=0.0, data=picture, width=160, height=120
    )
)
while True:
    if runner.status()[0].state == "busy":
        print(runner.status()[0].pid, flush=True)
        time.sleep(60)
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    "line", ["while True: pass", "import re; re.match('(a*)*b', 'a' * 40)"], ids=["python", "C"]
)
def test_a_receiver_killed_leaves_no_orphan(tmp_path: Path, line: str) -> None:
    # The second holds the interpreter's lock for ever: no thread of the hook's process can run.
    (tmp_path / "loop_hook.py").write_text(f"def process(frame):\n    {line}\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVER, str(tmp_path)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as receiver:
        assert receiver.stdout is not None
        child = int(receiver.stdout.readline())
        receiver.kill()
        receiver.wait()

    wait_until("the hook's end", lambda: not alive(child))


def test_elsewhere_than_on_linux_a_thread_watches_the_parent() -> None:
    code = (
        "import os, time; from receiver.child import orphan\n"
        "if os.fork():\n"
        "    time.sleep(0.3); os._exit(0)\n"
        "orphan.watch(os.getppid())\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )

    assert int(found.stdout) > 0
    assert time.monotonic() - started < 40, "run waits for the pipe's end, so for the child's"


def test_ctrl_c_is_none_of_the_hooks_business(tmp_path: Path, make_frame: MakeFrame) -> None:
    with Bench(tmp_path, make_frame) as bench:
        bench.write("import os\ndef process(frame):\n    return os.getpid()")
        bench.start()
        pid = bench.show().value
        os.kill(pid, signal.SIGINT)

        assert bench.show().value == pid
        assert os.getpgid(pid) != os.getpgid(0), "the terminal's Ctrl-C goes to a whole group"


def test_workers_share_the_cores(tmp_path: Path, make_frame: MakeFrame) -> None:
    with Bench(tmp_path, make_frame) as bench:
        bench.write("import cv2\ndef process(frame):\n    return cv2.getNumThreads()")
        bench.start("cam1=bench_hook", "cam2=bench_hook")

        assert bench.show().value == max(1, len(os.sched_getaffinity(0)) // 2)


def test_the_working_directory_is_for_hooks_only(
    tmp_path: Path, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    with Bench(tmp_path, make_frame) as bench:
        bench.write("def process(frame):\n    return 1")
        bench.start()

        assert bench.show().value == 1
