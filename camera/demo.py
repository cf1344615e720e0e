"""The demo: a camera, a sender and a receiver with the motion hook in one terminal (`make demo`).

It starts the other programs by their command lines, as a user would, and ends them together.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from shared import log

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent
_HOOK = "hooks.motion:Motion"
#: All is over within this time after Ctrl-C; what is not is killed.
_STOP_SECONDS = 2.5


class Demo:
    """Runs the programs until one ends or somebody stops it."""

    def __init__(self) -> None:
        self._programs: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._stopping = threading.Event()

    def start(self, program: str, *arguments: str, **environment: str) -> None:
        """Start `python -m program arguments`; its log goes to this terminal."""
        command = [sys.executable, "-m", program, *arguments]
        # In a session of its own, so that Ctrl-C reaches it once, from us, in order.
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, start_new_session=True
        )
        self._programs.append((program, process))

    def wait_for(self, port: int, path: str, *, seconds: float = 30.0) -> bool:
        """Wait until `path` answers 200; False when it did not, or a program ended before."""
        for _ in range(int(seconds / 0.1)):
            if self._stopping.is_set() or self._ended():
                return False
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return True
            except (OSError, http.client.HTTPException):
                pass  # not up yet
            finally:
                connection.close()
            self._stopping.wait(0.1)
        logger.error("port %d: no answer on %s in %.0f s", port, path, seconds)
        return False

    def run(self) -> int:
        """Wait for the end; return 0 when it was asked for or a finite source ended well."""
        while not self._stopping.wait(0.1):
            if ended := self._ended():
                program, code = ended
                (logger.info if code == 0 else logger.error)("%s ended with %d", program, code)
                return code
        return 0

    def ask_to_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        self._stopping.set()

    def stop(self) -> None:
        """End every program, the last one started first; kill what does not end."""
        deadline = threading.Timer(_STOP_SECONDS, self._kill)
        deadline.start()
        for _, process in reversed(self._programs):
            if process.poll() is None:
                process.terminate()
            # In order, so that nobody warns of another's end; but not for long.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS / 3)
        for _, process in self._programs:
            process.wait()
        deadline.cancel()

    def _kill(self) -> None:
        for program, process in self._programs:
            if process.poll() is None:
                logger.warning("%s did not end, so it is killed", program)
                process.kill()

    def _ended(self) -> tuple[str, int] | None:
        for program, process in self._programs:
            code = process.poll()
            if code is not None:
                return program, code
        return None


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--source",
        default=os.environ.get("SENDER_SOURCE"),
        help="your own camera instead of the simulated one; default: SENDER_SOURCE",
    )
    parser.add_argument("--port", type=int, default=8000, help="the page's port, 0 for any")
    arguments = parser.parse_args(argv)
    log.configure("demo")
    demo = Demo()
    signal.signal(signal.SIGINT, demo.ask_to_stop)
    signal.signal(signal.SIGTERM, demo.ask_to_stop)
    # The terminal was closed; the programs, in sessions of their own, would not hear of it.
    signal.signal(signal.SIGHUP, demo.ask_to_stop)

    port = arguments.port if arguments.port and _is_free(arguments.port) else _free_port()
    if arguments.port not in (0, port):
        logger.info("port %d is in use by another program; taking %d", arguments.port, port)
    receiver = f"http://127.0.0.1:{port}"
    try:
        demo.start("receiver", "--port", str(port), "--hook", _HOOK)
        source = arguments.source
        if source is None:
            camera_port = _free_port()
            demo.start("camera", "--port", str(camera_port))
            source = f"rtsp://127.0.0.1:{camera_port}/"
        if demo.wait_for(port, "/readyz"):
            # Not as an argument, for every user of the machine can read those.
            options = ("--camera", "demo", "--loop", "--to", receiver)
            demo.start("sender", *options, SENDER_SOURCE=source)
            logger.info("open %s/ in a browser; Ctrl-C ends everything", receiver)
        return demo.run()
    finally:
        demo.stop()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
