"""An RTSP camera that shows a video's pictures with number and time drawn in, until it is ended.

`python -m camera` does so with its test pattern; a film it shows as it is.
"""

from __future__ import annotations

import argparse
import signal
import sys

from benchmarks.measuring import feed
from camera.faults import Faults
from camera.running import Running
from camera.tally import Tally
from shared import pattern
from shared.codec import Image

_PICTURES = 50


class Marked:
    """A camera's source: the first pictures of a video again and again, each marked anew."""

    def __init__(self, clip: str, width: int, height: int, fps: float) -> None:
        self.width, self.height, self.fps = width, height, fps
        self._images = feed.load(clip, width, height, pictures=_PICTURES)

    def read(self, number: int, at: float) -> Image:
        image = self._images[number % len(self._images)]
        pattern.mark(image, number, at)
        return image

    def check_size(self, width: int, height: int) -> None:
        if (width, height) != (self.width, self.height):
            raise ValueError(f"size: expected {self.width}x{self.height}, got {width}x{height}")

    def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", required=True)
    parser.add_argument("--size", required=True, metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=float, required=True)
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    running = Running(
        Marked(arguments.clip, width, height, arguments.fps),
        host="127.0.0.1",
        port=0,
        codec="h264",
        fps=arguments.fps,
        gop=round(arguments.fps),
        bitrate=None,
        login=None,
        timeout=60.0,
        faults=Faults(),
        tally=Tally(),
        on_frame=lambda count: None,
    )
    running.stream.start()
    print(f"rtsp://127.0.0.1:{running.port}/stream", file=sys.stderr, flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    running.stop()


if __name__ == "__main__":
    # Before there are threads, which would take the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
