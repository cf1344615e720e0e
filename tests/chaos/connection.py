"""Connection: a client's connection and its twin to the server, and what passes between them."""

from __future__ import annotations

import asyncio
import fcntl
import random
import socket
import struct
import termios
from collections.abc import Sequence
from contextlib import suppress

from tests.chaos.reply_cut import ReplyCut
from tests.chaos.toxics import Broken, Flow, Reset, Toxic

#: The most that is read at once, and that waits in each buffer on the way.
PIECE = 16 << 10
_BUFFER = 64 << 10
#: Seconds for the last bytes before a break to arrive.
_FLUSH = 1.0


def shrink(sock: socket.socket) -> None:
    """Keep the kernel from taking megabytes, which no thin line would."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)


class Connection:
    """Carries both directions until both ended, or one was broken. In the proxy's loop."""

    def __init__(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        gate: asyncio.Event,
        seed: int,
    ) -> None:
        """Nothing passes while `gate` is not set."""
        self._number = number
        self._client = (reader, writer)
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._gate = gate
        self._seed = seed

    async def run(
        self,
        to: tuple[str, int],
        *,
        up: Sequence[Toxic],
        down: Sequence[Toxic],
        cut: ReplyCut | None,
    ) -> None:
        """Return when it is over, with both ends closed."""
        how: Broken = Reset()
        try:
            await self._gate.wait()
            sock = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET)
            sock.setblocking(False)
            shrink(sock)
            try:
                await asyncio.get_running_loop().sock_connect(sock, to)
            except BaseException:
                sock.close()
                raise
            self._server = await asyncio.open_connection(sock=sock, limit=PIECE)
            await self._carry(self._server, up, down, cut)
        except Broken as exc:
            how = exc
            await self._flush()
        except OSError:
            pass  # one end is gone, so the other has to go
        finally:
            self.end(how)

    def end(self, how: Broken) -> None:
        """Close both ends at once, whatever is on its way."""
        for end in (self._client, self._server):
            if end is not None:
                _end(end[1], with_reset=isinstance(how, Reset))

    async def _carry(
        self,
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        up: Sequence[Toxic],
        down: Sequence[Toxic],
        cut: ReplyCut | None,
    ) -> None:
        there, back = self._read(self._client[0]), self._read(server[0])
        watch = cut.watch(self._number) if cut is not None else None
        if watch is not None:
            back = watch.down(back)
        there, back = self._spoil(there, up, "up"), self._spoil(back, down, "down")
        if watch is not None:
            there = watch.up(there)
        directions = [
            asyncio.create_task(self._write(there, server[1])),
            asyncio.create_task(self._write(back, self._client[1])),
        ]
        try:
            await asyncio.gather(*directions)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    def _spoil(self, flow: Flow, toxics: Sequence[Toxic], direction: str) -> Flow:
        for number, toxic in enumerate(toxics):
            rng = random.Random(f"{self._seed}/{self._number}/{direction}/{number}")
            flow = toxic.spoil(flow, rng)
        return flow

    async def _read(self, reader: asyncio.StreamReader) -> Flow:
        while True:
            await self._gate.wait()
            data = await reader.read(PIECE)
            if not data:
                return
            yield data

    async def _write(self, flow: Flow, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=PIECE)
        async for data in flow:
            await self._gate.wait()
            writer.write(data)
            await writer.drain()
        await self._gate.wait()
        writer.write_eof()

    async def _flush(self) -> None:
        """Wait until what was written has arrived."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH):
                for end in (self._client, self._server):
                    while end is not None and _unsent(end[1]):
                        await asyncio.sleep(0.001)


def _unsent(writer: asyncio.StreamWriter) -> int:
    """Return how many bytes the other end has not acknowledged."""
    sock = writer.get_extra_info("socket")
    if writer.transport.is_closing() or sock is None:
        return 0
    waiting = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    return int(writer.transport.get_write_buffer_size() + struct.unpack("i", waiting)[0])


def _end(writer: asyncio.StreamWriter, *, with_reset: bool) -> None:
    sock = writer.get_extra_info("socket")
    if with_reset and not writer.transport.is_closing() and sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
