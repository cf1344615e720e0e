"""Raw pixels to a receiver on this host, several requests under way so that the hook never waits.

`python -m benchmarks.programs.raw_send URL --way memory --size 1920x1080 --flights 4`. The
ways: `memory`, pictures made in place in shared memory, as a capture that decodes there does;
`copy`, pictures that are copied there; `body`, pixels in the body of a POST.
"""

from __future__ import annotations

import argparse
import json
import mmap
import selectors
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

import numpy as np

from benchmarks.measuring import feed, spots
from benchmarks.measuring.kept import Kept, post
from shared.codec import Image


class Flight(Protocol):
    """One of the requests under way, on a connection of its own."""

    line: Kept

    def ask(self, number: int) -> None:
        """Send the next picture, with its number and the time drawn in it."""

    def answer(self) -> object:
        """Return what the hook returned."""


class MemoryFlight:
    """A region of shared memory that requests name; it is the receiver's until that ends."""

    def __init__(
        self, stack: ExitStack, url: str, images: Sequence[Image], *, copies: bool
    ) -> None:
        height, width, _ = images[0].shape
        size = images[0].nbytes
        self.line = Kept(url)
        stack.callback(self.line.close)
        self._images = images if copies else []
        # The receiver keeps it open, so its name can go at once.
        with NamedTemporaryFile(dir="/dev/shm", prefix="framepost-") as file:
            file.truncate(size)
            memory = mmap.mmap(file.fileno(), size)
            name = Path(file.name).name
            place = {"key": f"/{name}", "byte_size": size}
            self._ask(f"/v2/systemsharedmemory/region/{name}/register", place)
            self.line.receive()
        self._pixels = np.frombuffer(memory, np.uint8).reshape(height, width, 3)
        self._pixels[:] = images[0]
        given = {
            "name": "image",
            "datatype": "UINT8",
            "shape": [height, width, 3],
            "parameters": {"shared_memory_region": name, "shared_memory_byte_size": size},
        }
        self._request = {"inputs": [given], "outputs": [{"name": "result"}]}

    def ask(self, number: int) -> None:
        if self._images:
            np.copyto(self._pixels, self._images[number % len(self._images)])
        spots.mark(self._pixels, number, time.time())
        self._ask("/v2/models/reading_hook/infer", self._request)

    def answer(self) -> object:
        output = json.loads(self.line.receive())["outputs"][0]
        return json.loads(output["data"][0])

    def _ask(self, target: str, content: object) -> None:
        body = json.dumps(content).encode()
        self.line.send(post(target, len(body), Content_Type="application/json"), body)


class BodyFlight:
    """Pixels in the body."""

    def __init__(self, stack: ExitStack, url: str, images: Sequence[Image]) -> None:
        height, width, _ = images[0].shape
        self.line = Kept(url)
        stack.callback(self.line.close)
        self._images = images
        self._head = post(
            "/cameras/raw/frames?mode=every",
            images[0].nbytes,
            Content_Type=f"application/x-raw-bgr; width={width}; height={height}",
            Prefer="wait=10",
        )

    def ask(self, number: int) -> None:
        image = self._images[number % len(self._images)]
        spots.mark(image, number, time.time())
        self.line.send(self._head, image.reshape(-1).data)

    def answer(self) -> object:
        return json.loads(self.line.receive())["result"]


def fly(flights: Sequence[Flight]) -> None:
    """Ask and hear, on all of them, until killed; raise ValueError for a wrong answer."""
    numbers = count()
    asked: dict[Flight, int] = {}
    with selectors.DefaultSelector() as selector:
        for flight in flights:
            selector.register(flight.line, selectors.EVENT_READ, flight)
            asked[flight] = next(numbers)
            flight.ask(asked[flight])
        while True:
            for key, _ in selector.select():
                flight = key.data
                answer = flight.answer()
                if answer != asked[flight]:
                    raise ValueError(f"picture {asked[flight]}: the hook read {answer!r}")
                asked[flight] = next(numbers)
                flight.ask(asked[flight])


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--way", choices=["memory", "copy", "body"], required=True)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--clip")
    parser.add_argument("--flights", type=int, default=4)
    arguments = parser.parse_args(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    images = feed.load(arguments.clip, width, height)
    with ExitStack() as stack:
        flights: list[Flight] = []
        for _ in range(arguments.flights):
            if arguments.way == "body":
                flights.append(BodyFlight(stack, arguments.url, images))
            else:
                copies = arguments.way == "copy"
                flights.append(MemoryFlight(stack, arguments.url, images, copies=copies))
        fly(flights)


if __name__ == "__main__":
    main(sys.argv[1:])
