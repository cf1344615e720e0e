"""Pipe: messages between the receiver and its child processes, over a socket pair.

A message is two lengths (32 bits each, big-endian), a JSON object and bytes: never anything that
runs code when it is read. The bytes are neither copied on the way out nor on the way in. Of a
region of shared memory only the file's descriptor travels (SCM_RIGHTS, unix(7)).
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
_MAX_HEADER = 16 << 20
_MAX_BODY = 256 << 20


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
        text = json.dumps(header, separators=(",", ":")).encode()
        parts = [memoryview(_LENGTHS.pack(len(text), len(body)) + text)]
        if body:
            parts.append(memoryview(body))
        try:
            while parts:
                sent = self._socket.sendmsg(parts, rights)
                rights = []
                while parts and sent >= len(parts[0]):
                    sent -= len(parts.pop(0))
                if parts:
                    parts[0] = parts[0][sent:]
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
        lengths, fds = self._read_lengths()
        try:
            header, body = self._receive(*_LENGTHS.unpack(lengths))
            if fds:
                header["region"] = Region(fds[0], *header["region"])
            return header, body
        finally:
            for fd in fds:
                os.close(fd)

    def _receive(self, header_size: int, body_size: int) -> tuple[dict[str, Any], bytes]:
        if header_size > _MAX_HEADER or body_size > _MAX_BODY:
            raise PipeClosed("what came is no message")
        text = self._read(header_size)
        body = self._read(body_size) if body_size else b""
        try:
            header = json.loads(text)
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

    def _read_lengths(self) -> tuple[bytes, list[int]]:
        try:
            data, fds, _, _ = socket.recv_fds(
                self._socket, _LENGTHS.size, 1, socket.MSG_WAITALL | socket.MSG_CMSG_CLOEXEC
            )
        except OSError as exc:
            raise PipeClosed(str(exc)) from None
        if not data:
            raise PipeClosed("the other side is gone")
        try:
            return data + self._read(_LENGTHS.size - len(data)), fds
        except PipeClosed:
            for fd in fds:
                os.close(fd)
            raise

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
