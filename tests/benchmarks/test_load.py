"""The compiled load against servers that answer well and badly."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.measuring import jobs
from benchmarks.measuring.load import NUMBER, Job, Load
from benchmarks.measuring.program import Program
from tests.conftest import missing

PICTURES = [b"first" * 30_000, b"second" * 30_000]
Serve = Callable[[bytes], str]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the load waits by epoll")


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        missing("a C compiler", "apt-get install gcc")
    with Load() as load:
        yield load


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    with Program(
        "bare", ["benchmarks.programs.bare_server"], ready=[r"see (http://\S+)/$"]
    ) as server:
        yield server.found[0]


@pytest.fixture
def serve() -> Iterator[tuple[Serve, list[bytes]]]:
    """A server that answers every piece it gets on one connection; and what it got."""
    got: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(answer: bytes) -> str:
        def run() -> None:
            with suppress(OSError):
                end, _ = listener.accept()
                with end:
                    while piece := end.recv(1 << 20):
                        got.append(piece)
                        end.sendall(answer)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start, got

    listener.close()
    for thread in threads:
        thread.join()


def test_each_connection_posts_one_picture_after_the_other(load: Load, bare: str) -> None:
    answers = load.run(bare, jobs.posts(PICTURES, 3), seconds=0.2)

    assert len(answers.latencies) > 6
    assert all(0 < latency < 5 for latency in answers.latencies)
    assert answers.seconds == pytest.approx(0.2, abs=1)
    assert 0 < answers.cpu < 1


def test_a_pace_is_kept(load: Load, bare: str) -> None:
    answers = load.run(bare, jobs.posts(PICTURES, 2), seconds=0.5, fps=20)

    # Without one there would be thousands; a busy machine does not get to the last ones.
    assert 10 < len(answers.latencies) <= 20


def test_requests_are_numbered_on_their_connection(
    load: Load, serve: tuple[Serve, list[bytes]]
) -> None:
    start, got = serve
    url = start(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    load.run(url, Job([[f"<{NUMBER}>"]], [b"picture"], tail=b"!"), seconds=0.05)

    assert got[:3] == [b"<%010d>picture!" % number for number in range(3)]


def test_lines_of_a_chunked_reply_are_answers(load: Load, serve: tuple[Serve, list[bytes]]) -> None:
    start, got = serve
    url = start(b'd\r\n{"status": 202}\n\r\n')
    job = Job([["head "]], [b"picture"], "lines", ["preamble "])

    answers = load.run(url, job, seconds=0.05)

    assert len(answers.latencies) == len(got)
    assert got[:2] == [b"preamble head picture", b"head picture"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 503 Full\r\nContent-Length: 4\r\n\r\nfull", "http"),
        (b'd\r\n{"status": 422}\n\r\n', "lines"),
    ],
)
def test_a_refusal_ends_the_load_and_is_shown(
    load: Load, serve: tuple[Serve, list[bytes]], answer: bytes, kind: str
) -> None:
    start, _ = serve
    job = Job([["head"]], [b"picture"], "http" if kind == "http" else "lines")

    with pytest.raises(RuntimeError, match=r"503 Full|422"):
        load.run(start(answer), job, seconds=5)


def test_a_machine_without_a_compiler_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RuntimeError, match="expected cc or gcc"):
        Load().__enter__()
