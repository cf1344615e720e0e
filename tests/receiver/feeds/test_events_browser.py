"""/events as a real browser's EventSource reads it, over a connection that breaks."""

from __future__ import annotations

import shutil
import socket
import threading
from contextlib import suppress
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

from tests.conftest import MakeFrame, missing
from tests.program import Receiver
from tests.receiver.view.browser.conftest import FLAGS
from tests.sender.doubles import RawServer

LISTEN = """() => {
    window.seen = [];
    window.skipped = [];
    const events = new EventSource("/events");
    events.addEventListener("result", (event) => window.seen.push(JSON.parse(event.data).seq));
    events.addEventListener("skipped", (event) => window.skipped.push(JSON.parse(event.data)));
    return new Promise((resolve) => { events.onopen = () => resolve(true); });
}"""


class Proxy(RawServer):
    """Passes everything on to `port`, until it is cut; connections made later work again."""

    def __init__(self, port: int) -> None:
        super().__init__(self._join)
        self.aim = port
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    def cut(self) -> None:
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _join(self, client: socket.socket, _number: int) -> None:
        with socket.create_connection(("127.0.0.1", self.aim), timeout=30) as server:
            server.settimeout(None)
            with self._lock:
                self._open += [client, server]
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join(30)


def _pump(source: socket.socket, aim: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            aim.sendall(data)
    for end in (source, aim):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def test_a_browser_comes_back_by_itself_and_loses_nothing(
    tmp_path: Path, make_frame: MakeFrame
) -> None:
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium", "apt-get install chromium")
    (tmp_path / "none_hook.py").write_text("def process(frame): return None\n", encoding="utf-8")
    arguments = ("--hook", "none_hook", "--hook-path", str(tmp_path), "--isolation", "thread")
    sent = 0

    def post(receiver: Receiver, count: int) -> None:
        nonlocal sent
        for _ in range(count):
            answer = requests.post(
                f"{receiver.url}/cameras/cam1/frames?mode=every",
                make_frame().data,
                headers={"X-Frame-Epoch": "e", "X-Frame-Seq": str(sent), "Prefer": "wait=10"},
                timeout=15,
            )
            assert answer.json().get("state") == "processed", answer.text
            sent += 1

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with Receiver(*arguments) as receiver, Proxy(receiver.port) as proxy:
            receiver.wait_for("ready")
            page = chromium.new_page()
            page.goto(f"http://127.0.0.1:{proxy.port}/healthz")
            page.evaluate(LISTEN)
            post(receiver, 3)
            page.wait_for_function("window.seen.at(-1) === 2")

            proxy.cut()
            post(receiver, 4)
            page.wait_for_function("window.seen.at(-1) === 6")
            assert page.evaluate("window.seen") == [0, 1, 2, 3, 4, 5, 6]
            assert page.evaluate("window.skipped") == []
            assert receiver.stop() == 0

            with Receiver(*arguments) as second:
                second.wait_for("ready")
                proxy.aim = second.port
                post(second, 2)
                page.wait_for_function("window.seen.at(-1) === 8")
                assert page.evaluate("window.seen") == [*range(9)]
                assert page.evaluate("window.skipped") == [{"skipped": None, "reason": "restarted"}]
            page.close()
        chromium.close()
