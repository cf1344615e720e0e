"""Send a folder of pictures, or a camera's, and print what became of each.

python example.py pictures/ --camera door --wait 1
python example.py 0 --fps 10 --latest           the first camera at this machine, through OpenCV
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from framepost_client import Client, Control, Frame, FramepostError, Refused, Reply
from framepost_live import LatestFrameSender

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}

#: A picture's name, its bytes, their Content-Type.
Picture = tuple[str, bytes, str]


class Printer:
    """Prints one line for each frame; `status` is what the program is to end with."""

    status = 0
    _control: Control | None = None

    def reply(self, name: str, reply: Reply) -> None:
        if reply.state == "failed":
            self.status = max(self.status, 1)
        if reply.control != self._control:
            self._control = reply.control
            say(f"the receiver wishes {describe(reply.control)}")
        result = "" if reply.result is None else json.dumps(reply.result)
        say(f"{name}: {reply.status} {reply.state} {reply.error or result}".rstrip())

    def trouble(self, name: str, exc: FramepostError) -> None:
        if isinstance(exc, Refused):
            self.status = max(self.status, 1)
            say(f"{name}: {exc.status} refused {exc.detail}")
        else:
            self.status = 3
            say(f"{name}: no reply, {exc}")


def describe(control: Control | None) -> str:
    if control is None:
        return "nothing more"
    size = control.size and f"{control.size[0]}x{control.size[1]}"
    fps = control.fps and f"{control.fps:g}"
    wishes = {"fps": fps, "size": size, "quality": control.quality}
    return " ".join(f"{name}={wish}" for name, wish in wishes.items() if wish is not None)


def say(line: str) -> None:
    try:
        print(line.encode("utf-8", "replace").decode(), flush=True)
    except BrokenPipeError:  # whoever read our lines, such as head, has seen enough
        os._exit(0)


def send_each(
    client: Client, pictures: Iterable[Picture], wait: float | None, *, every: bool
) -> int:
    printer = Printer()
    for name, data, kind in pictures:
        try:
            printer.reply(name, client.send(data, wait=wait, every=every, content_type=kind))
        except FramepostError as exc:
            printer.trouble(name, exc)
    return printer.status


def send_newest(
    client: Client, pictures: Iterable[Picture], wait: float | None, *, obey: bool
) -> int:
    printer = Printer()

    def on_reply(frame: Frame, reply: Reply) -> None:
        printer.reply(f"frame {frame.seq}", reply)

    def on_trouble(frame: Frame, exc: FramepostError) -> None:
        printer.trouble(f"frame {frame.seq}", exc)

    sender = LatestFrameSender(
        client, wait=wait, on_reply=on_reply, on_trouble=on_trouble, obey=obey
    )
    with sender:
        for _, data, content_type in pictures:
            sender.offer(data, content_type=content_type)
    counts = sender.counts
    say(
        f"captured={counts.captured} posted={counts.posted} superseded={counts.superseded} "
        f"refused={counts.refused} failed={counts.failed} thinned={counts.thinned}"
    )
    return printer.status


def from_folder(folder: Path, *, loop: bool, size: str) -> Iterator[Picture]:
    width, _, height = size.partition("x")
    types = TYPES | (
        {".bgr": f"application/x-raw-bgr; width={width}; height={height}"} if size else {}
    )
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in types)
    if not files:
        sys.exit(f"example.py: {folder}: expected files {', '.join(types)}, found none")
    for file in itertools.cycle(files) if loop else files:
        yield file.name, file.read_bytes(), types[file.suffix.lower()]


def from_camera(device: int) -> Iterator[Picture]:
    try:
        import cv2
    except ImportError:
        sys.exit("example.py: a camera needs OpenCV; to install it: pip install opencv-python")
    camera = cv2.VideoCapture(device)
    while True:
        read, image = camera.read()
        if not read:
            sys.exit(f"example.py: camera {device} gives no pictures")
        yield "camera", cv2.imencode(".jpg", image)[1].tobytes(), "image/jpeg"


class Pace:
    """Lets pictures through so many times a second."""

    def __init__(self, fps: float | None) -> None:
        self._between = 1 / fps if fps else 0.0
        self._stopped = False

    def end_with_ctrl_c(self) -> None:
        """Let Ctrl-C end the pictures, and only a second one the program."""
        signal.signal(signal.SIGINT, self._stop)

    def of(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        due = time.monotonic()
        for picture in pictures:
            while not self._stopped and (early := due - time.monotonic()) > 0:
                time.sleep(min(early, 0.1))
            if self._stopped:
                return
            due = max(due, time.monotonic() - self._between) + self._between
            yield picture

    def _stop(self, *_: object) -> None:
        self._stopped = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Return 0; 1 when a frame was refused or its hook failed; 3 when one had no reply."""
    parser = argparse.ArgumentParser(
        description="Send a folder of pictures, or a camera's, and print what became of each."
    )
    parser.add_argument("source", help="a folder, or a camera's number, such as 0")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the receiver")
    parser.add_argument("--camera", default="cam1", help="the name that the frames go by")
    parser.add_argument("--fps", type=float, help="pictures a second; else as fast as they go")
    parser.add_argument("--loop", action="store_true", help="begin the folder again at its end")
    parser.add_argument("--wait", type=float, help="seconds to wait for each result")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds for an exchange")
    parser.add_argument(
        "--every", action="store_true", help="have all processed, even if newer ones come"
    )
    parser.add_argument("--latest", action="store_true", help="send only what is newest")
    parser.add_argument(
        "--disobey", action="store_true", help="with --latest: as many as there are, come what may"
    )
    parser.add_argument("--size", default="", metavar="WxH", help="of .bgr files with raw pixels")
    parser.add_argument(
        "--token",
        default=os.environ.get("FRAMEPOST_TOKEN"),
        help="the receiver's token; better in FRAMEPOST_TOKEN, where others do not see it",
    )
    options = parser.parse_args()
    if options.size and not re.fullmatch("[0-9]+x[0-9]+", options.size):
        parser.error(f"--size: expected WIDTHxHEIGHT, got {options.size!r}")
    if options.source.isdigit():
        pictures = from_camera(int(options.source))
    elif Path(options.source).is_dir():
        pictures = from_folder(Path(options.source), loop=options.loop, size=options.size)
    else:
        parser.error(f"source: expected a folder or a camera's number, got {options.source!r}")
    pace = Pace(options.fps)
    pictures = pace.of(pictures)
    try:
        client = Client(options.url, options.camera, token=options.token, timeout=options.timeout)
    except ValueError as exc:
        parser.error(str(exc))
    if options.latest:
        pace.end_with_ctrl_c()
        return send_newest(client, pictures, options.wait, obey=not options.disobey)
    with client:
        return send_each(client, pictures, options.wait, every=options.every)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
