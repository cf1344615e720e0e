"""Pipe: messages between the receiver and its child processes, over a socket pair.

A message is a block of 512 bytes, the rest of its header if that is longer, and bytes. The block is
two lengths (32 bits each, big-endian) and a JSON object, filled up with spaces: so most headers
take one call to read. Nothing in it runs code when it is read. The bytes are neither copied on the
way out nor on the way in. Of a region of shared memory only the file's descriptor travels
(SCM_RIGHTS, unix(7)).
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
import struct
from collections.abc import Mapping
from typing import Any

from receiver.region import Region

_LENGTHS = struct.Struct(">II")
_BLOCK = 512
_MAX_HEADER = 16 << 20
_MAX_BODY = 256 << 20
#: Made once: `json.dumps` makes an encoder for each call that wants other separators.
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
_RIGHTS = socket.CMSG_LEN(array.array("i").itemsize)
_FLAGS = socket.MSG_WAITALL | getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class PipeClosed(Exception):
    """Raised when the other side is gone, or no longer speaks so that it can be understood."""


class Pipe:
    """One end. One thread sends and one receives; `end` may be called from any."""

    def __init__(self, end: socket.socket, *, stall: float | None = None) -> None:
        """`stall`: a message that stops half-way for so many seconds closes the pipe."""
        self._socket = end
        end.setblocking(True)
        if stall is not None:
            # The kernel's time-out, not Python's: that one would make the socket non-blocking,
            # and MSG_WAITALL void.
            period = struct.pack("@ll", int(stall), int(stall % 1 * 1e6))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, period)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, period)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(
        self, header: Mapping[str, Any], body: bytes = b"", *, region: Region | None = None
    ) -> None:
        """Send one message, whole; raise PipeClosed. A region is the other side's `region`."""
        rights: list[tuple[int, int, Any]] = []
        if region is not None:
            header = {**header, "region": [region.offset, region.size]}
            fds = array.array("i", [region.fileno()])
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
        text = _encode(header).encode()
        block = (_LENGTHS.pack(len(text), len(body)) + text).ljust(_BLOCK)
        try:
            sent = self._socket.sendmsg((block, body), rights)
            for part in (block, body):
                if sent < len(part):
                    self._socket.sendall(memoryview(part)[sent:])
                sent = max(0, sent - len(part))
        except OSError as exc:
            raise PipeClosed(str(exc)) from None

    def wait(self, seconds: float) -> bool:
        """Say whether a message (or the end) comes within `seconds`."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Wait for a message and return it; raise PipeClosed at the end.

        Where a region came with it, it is the header's `region`.
        """
        block, fds = self._read_block()
        try:
            header, body = self._receive(block)
            if fds:
                header["region"] = Region(fds[0], *header["region"])
            return header, body
        finally:
            for fd in fds:
                os.close(fd)

    def _receive(self, block: bytes) -> tuple[dict[str, Any], bytes]:
        block += self._read(_BLOCK - len(block))
        header_size, body_size = _LENGTHS.unpack_from(block)
        if header_size > _MAX_HEADER or body_size > _MAX_BODY:
            raise PipeClosed("what came is no message")
        text = block[_LENGTHS.size : _LENGTHS.size + header_size]
        if len(text) < header_size:
            text += self._read(header_size - len(text))
        body = self._read(body_size)
        try:
            header: dict[str, Any] = _decode(text.decode())
        except ValueError as exc:
            raise PipeClosed(f"what came is no message ({exc})") from None
        return header, body

    def end(self) -> None:
        """Tell the other side that nothing more comes; it may still answer."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is gone already

    def close(self) -> None:
        self._socket.close()

    def _read_block(self) -> tuple[bytes, list[int]]:
        """Return the next message's first bytes, and the descriptors that came with them."""
        try:
            data, messages, _, _ = self._socket.recvmsg(_BLOCK, _RIGHTS, _FLAGS)
        except OSError as exc:
            raise PipeClosed(str(exc)) from None
        if not data:
            raise PipeClosed("the other side is gone")
        fds = array.array("i")
        for _, _, content in messages:
            fds.frombytes(content)
        return data, fds.tolist()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                more = self._socket.recv(size - len(data), socket.MSG_WAITALL)
            except OSError as exc:
                raise PipeClosed(str(exc)) from None
            if not more:
                raise PipeClosed("the other side is gone")
            data = data + more if data else more
        return data
