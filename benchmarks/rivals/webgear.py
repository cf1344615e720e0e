"""vidgear's WebGear with a custom source, as its documentation shows it, served by uvicorn.

There each client's generator reads and encodes for itself. With `--shared` one task encodes each
picture once for all: more than the documentation has, and the best that WebGear can do.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import uvicorn
from vidgear.gears.asyncio import WebGear

from benchmarks.measuring import steady
from shared import codec
from shared.codec import Image


class Source:
    """The camera's newest picture, for any number of clients. For the server's loop only."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._changed = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None
        self._number = 0
        self._image: Image | None = None
        self._jpeg = b""

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield the parts of one client."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        seen = 0
        while True:
            async with self._changed:
                while self._number == seen:
                    await self._changed.wait()
            seen = self._number
            yield b"--frame\r\nContent-Type:image/jpeg\r\n\r\n" + self._encoded() + b"\r\n"
            await asyncio.sleep(0)

    def _encoded(self) -> bytes:
        if self._arguments.shared:
            return self._jpeg
        assert self._image is not None
        return codec.encode(self._image, self._arguments.quality)

    async def _read(self) -> None:
        pictures = steady.pictures(self._arguments)
        while True:
            image = await asyncio.to_thread(next, pictures)
            if self._arguments.shared:
                self._jpeg = codec.encode(image, self._arguments.quality)
            async with self._changed:
                self._image = image.copy()
                self._number += 1
                self._changed.notify_all()


def main(argv: Sequence[str]) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", action="store_true", help="encode once for all clients")
    steady.add_arguments(parser)
    source = Source(parser.parse_args(argv))
    web: Any = WebGear(skip_generate_webdata=True)
    web.config["generator"] = source.frames
    uvicorn.run(web(), host="127.0.0.1", port=0, access_log=False)
    web.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
