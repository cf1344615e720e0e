from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from receiver.display import DisplayProcess
from receiver.hub import Hub
from shared import pattern
from shared.codec import Image
from tests.conftest import MakeFrame, missing
from tests.receiver.bench import wait_until

#: Windows without a frame, at the top left. Without any window manager Qt sometimes never paints.
_WINDOWS = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc"><applications><application class="*">
<decor>no</decor><position force="yes"><x>0</x><y>0</y></position>
</application></applications></openbox_config>
"""


class Screen:
    """An X server without a monitor: its picture can be looked at, its keys pressed."""

    def __init__(self, folder: Path) -> None:
        for program in ("Xvfb", "openbox"):
            if shutil.which(program) is None:
                missing(program, "apt-get install xvfb openbox")
        command = ["Xvfb", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]
        read, write = os.pipe()
        self._process = subprocess.Popen(
            [*command, "-displayfd", str(write), "-fbdir", str(folder)],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as end:
            self.name = f":{end.readline().strip()}"
        self._file = folder / "Xvfb_screen0"
        self._manager = self._manage(folder)
        for library in ("X11", "Xtst"):
            if not ctypes.util.find_library(library):
                missing(f"lib{library}", "apt-get install libx11-6 libxtst6")
        self._x11 = ctypes.CDLL("libX11.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(self.name.encode()))

    def look(self) -> Image:
        """Return what is on the screen, BGR. The file is in X's own form, XWD."""
        data = self._file.read_bytes()
        header = struct.unpack_from(">25I", data)
        height, line = header[5], header[12]
        pixels = np.frombuffer(data, np.uint8, line * height, header[0] + header[19] * 12)
        return np.ascontiguousarray(pixels.reshape(height, line // 4, 4)[:, :, :3])

    def press(self, key: str) -> None:
        """Press a key, with the mouse over the window top left."""
        xtst = ctypes.CDLL("libXtst.so.6")
        code = self._x11.XKeysymToKeycode(self._display, ctypes.c_ulong(ord(key)))
        xtst.XTestFakeMotionEvent(self._display, 0, 40, 40, 0)
        for down in (1, 0):
            xtst.XTestFakeKeyEvent(self._display, code, down, 0)
        self._x11.XFlush(self._display)

    def _manage(self, folder: Path) -> subprocess.Popen[bytes]:
        config = folder / "rc.xml"
        config.write_text(_WINDOWS, encoding="utf-8")
        manager = subprocess.Popen(
            ["openbox", "--config-file", config, "--startup", f"touch {folder / 'managed'}"],
            env={**os.environ, "DISPLAY": self.name},
            stderr=subprocess.DEVNULL,
        )
        wait_until("the window manager", (folder / "managed").exists)
        return manager

    def close(self) -> None:
        self._x11.XCloseDisplay(self._display)
        self._manager.terminate()
        self._manager.wait()
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    screen = Screen(tmp_path)
    monkeypatch.setenv("DISPLAY", screen.name)
    yield screen
    screen.close()


class Feed:
    """Publishes numbered frames until told to stop."""

    def __init__(self, hub: Hub, make: Callable[[int], Any]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(hub, make))

    def _run(self, hub: Hub, make: Callable[[int], Any]) -> None:
        seq = 0
        while not self._stop.wait(0.03):
            hub.publish(make(seq))
            seq += 1

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def shown_number(screen: Screen) -> int | None:
    mark = pattern.read(screen.look()[:480, :640])
    return mark.number if mark else None


def close_by_key(screen: Screen, display: DisplayProcess) -> None:
    """Press q until it helps: a window that was not given the keyboard yet misses it."""

    def is_closed() -> bool:
        screen.press("q")
        return not display.alive

    wait_until("the display's end", is_closed)


def test_a_cameras_frames_move_in_a_window_until_q(
    screen: Screen, make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hub = Hub()
    with (
        Feed(hub, lambda seq: make_frame(seq, width=640, height=480)),
        DisplayProcess(hub) as display,
    ):
        wait_until("the tenth frame on the screen", lambda: (shown_number(screen) or 0) > 10)
        assert screen.look()[470:478, :100].max() > 200, "expected a text at the foot"
        camera = hub.get("cam1")
        assert camera is not None
        books = camera.books()
        assert books.processed == 0
        assert books.received == books.superseded + 1

        close_by_key(screen, display)

    assert caplog.messages == ["display closed; the receiver goes on"]
    assert display.error is None


def test_a_window_lives_and_says_so_when_no_frame_comes(
    screen: Screen, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    hub = Hub(clock=lambda: now)
    hub.publish(make_frame(5, width=640, height=480))
    with DisplayProcess(hub) as display:
        wait_until("the frame", lambda: shown_number(screen) == 5)
        before = screen.look()
        now += 30

        wait_until("another text", lambda: (screen.look()[440:480] != before[440:480]).any())
        close_by_key(screen, display)


def test_what_the_hook_drew_is_what_is_shown(screen: Screen, make_frame: MakeFrame) -> None:
    hub = Hub()
    hub.publish(make_frame(1, width=640, height=480))
    camera = hub.get("cam1")
    assert camera is not None
    camera.annotated.put(make_frame(99, width=640, height=480))
    with DisplayProcess(hub):
        wait_until("the drawn picture", lambda: shown_number(screen) == 99)


def test_a_display_that_dies_harms_nobody(
    screen: Screen, make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    hub = Hub()
    hub.publish(make_frame(5, width=640, height=480))
    with DisplayProcess(hub) as display:
        wait_until("the frame", lambda: shown_number(screen) == 5)
        hub.publish(make_frame(6, width=640, height=480))
        wait_until("the next", lambda: shown_number(screen) == 6)
        (child,) = [c for c in psutil.Process().children() if "display_process" in str(c.cmdline())]
        child.kill()
        wait_until("the display's end", lambda: not display.alive)

    assert caplog.messages == ["display died (signal 9, killed); the receiver goes on"]


def test_without_a_screen_it_says_so_and_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with DisplayProcess(Hub()) as display:
        wait_until("its end", lambda: not display.alive)

    assert caplog.messages == [
        "--display: no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set); going on without"
    ]


def test_a_screen_that_does_not_answer_is_one_sentence(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    hub = Hub()
    hub.publish(make_frame())
    with DisplayProcess(hub) as display:
        wait_until("its end", lambda: not display.alive)

    (message,) = caplog.messages
    assert message.startswith("--display: no screen here (")
    assert ":987" in message
    assert message.endswith("); going on without")
    assert display.error is None
