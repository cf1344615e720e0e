from __future__ import annotations

import socket
from pathlib import Path

import pytest

from benchmarks.measuring.sink import Sink, read_notes
from benchmarks.programs.audience import Viewer, connect, make_counts
from shared import codec, pattern

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n--b\r\n"


def part(jpeg: bytes) -> bytes:
    return b"Content-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n--b\r\n"


def test_a_viewer_counts_parts_and_bytes_and_reads_numbers(tmp_path: Path) -> None:
    counts = make_counts(tmp_path / "counts", 2)
    sink = Sink(str(tmp_path / "notes"))
    shown = [codec.encode(pattern.draw(n, 320, 240), 80) for n in (5, 6)]
    pieces = [HEAD[:50], HEAD[50:], *map(part, [*shown, b"\xff\xd8 no picture \xff\xd9"])]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        viewer = Viewer(ours, counts[1], sink=sink)
        for piece in pieces:
            theirs.sendall(piece)
            viewer.read()
    sink.close()

    notes = read_notes(tmp_path / "notes")
    assert [(note.is_legible, note.number) for note in notes] == [(True, 5), (True, 6), (False, 0)]
    assert counts.tolist() == [[0, 0], [4, sum(map(len, pieces))]]


def test_a_stream_that_ends_is_an_error(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(ConnectionError, match="ended after 0 parts"):
            Viewer(ours, make_counts(tmp_path / "counts", 1)[0]).read()


def test_a_viewer_asks_for_the_path_and_query() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with connect(f"http://127.0.0.1:{port}/a/b.mjpg?width=640"):
            client, _ = server.accept()
            with client:
                assert client.recv(4096).startswith(b"GET /a/b.mjpg?width=640 HTTP/1.1\r\n")
