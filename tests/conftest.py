"""Fixtures for every test: nothing may leak, and the environment is what it was."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shared import codec, pattern
from shared.frame import EncodedFrame

#: Seconds of looking for garbage after a test, from which on what is there by then is left out.
_LONG_LOOK = 0.003

CI = bool(os.environ.get("CI"))

MakeFrame = Callable[..., EncodedFrame]


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start: in the background a shell has it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole programs, which take longest: at the end, one would wait for the other."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != here)


def pytest_collection_finish() -> None:
    """Spare each test's look for leaks all that was there before the first."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _nothing_leaked_unseen() -> Iterator[None]:
    """Look once more, with the last test, at all that was spared the look after each."""
    yield
    gc.unfreeze()
    gc.collect()


@pytest.fixture(autouse=True)
def _nothing_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("SENDER_", "RECEIVER_", "CAMERA_")):
            monkeypatch.delenv(name)
    threads = set(threading.enumerate())
    children = {child.pid for child in _children()}

    yield

    started = time.thread_time()
    gc.collect()
    if time.thread_time() - started > _LONG_LOOK:
        gc.freeze()
    deadline = time.monotonic() + 30
    while True:
        leaked_threads = [t.name for t in threading.enumerate() if t not in threads]
        leaked_children = [
            " ".join(_command(child)) for child in _children() if child.pid not in children
        ]
        if not (leaked_threads or leaked_children) or time.monotonic() > deadline:
            break
        threading.Event().wait(0.02)
    assert not leaked_threads
    assert not leaked_children


@pytest.fixture(autouse=True)
def _a_program_leaves_no_log_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what `log.configure` changes, should a test call a program's `main`: all tests after
    it would log, some of them for a minute, and a thread that ends by a bug would fail none.
    """
    root = logging.getLogger()
    level = root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    yield

    logging.captureWarnings(False)
    root.setLevel(level)
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:  # pytest's own are of kinds of their own
            root.removeHandler(handler)


def _children() -> list[psutil.Process]:
    """Return the processes below this one; looks at every one of the machine only if it must."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    return psutil.Process().children(recursive=True)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or [process.name()]
    except psutil.Error:
        return ["a process that is gone"]


@pytest.fixture
def make_frame() -> MakeFrame:
    """Return a maker of JPEG frames of the test pattern, numbered by `seq`."""

    def make(
        seq: int = 0,
        *,
        camera: str = "cam1",
        epoch: str = "e1",
        width: int = 160,
        height: int = 120,
        captured_at: float | None = None,
    ) -> EncodedFrame:
        at = time.time() if captured_at is None else captured_at
        return EncodedFrame(
            camera=camera,
            epoch=epoch,
            seq=seq,
            captured_at=at,
            data=codec.encode(pattern.draw(seq, width, height, at), 80),
            width=width,
            height=height,
        )

    return make


def missing(what: str, install: str) -> None:
    """Skip the test for want of `what`, with the line that installs it; in CI, fail."""
    message = f"{what} is not installed; to run this test: {install}"
    if CI:
        pytest.fail(message)
    pytest.skip(message)
