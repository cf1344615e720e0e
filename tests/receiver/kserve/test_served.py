"""The real program, and shared memory that the machine has."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from tests.program import Receiver
from tests.receiver.kserve.asking import BGR, PIXELS, ROUTE

HOOK = """
def process(frame):
    image = frame.image
    if frame.camera == "slow":
        open(FOLDER + "/began", "w").close()
        open(FOLDER + "/go").close()
    return {"mean": float(image.mean())}
"""
ROUTE = ROUTE.replace("motion", "means")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Holds the hook and two pipes: it opens one when it has begun, and the other to go on."""
    text = f"FOLDER = {str(tmp_path)!r}\n{HOOK}"
    (tmp_path / "means.py").write_text(text, encoding="utf-8")
    os.mkfifo(tmp_path / "began")
    os.mkfifo(tmp_path / "go")
    return tmp_path


@pytest.fixture
def receiver(folder: Path) -> Iterator[Receiver]:
    with Receiver("--hook", "means", "--hook-path", str(folder)) as receiver:
        receiver.wait_for("is ready")
        yield receiver


@pytest.fixture
def memory(receiver: Receiver) -> Iterator[Path]:
    """Shared memory with the picture in it, registered as `frames`."""
    path = Path(f"/dev/shm/framepost_test_{os.getpid()}")
    path.write_bytes(PIXELS)
    registered = requests.post(
        f"{receiver.url}/v2/systemsharedmemory/region/frames/register",
        json={"key": f"/{path.name}", "byte_size": len(PIXELS)},
        timeout=10,
    )
    assert registered.status_code == 200, registered.text
    yield path
    path.unlink()
    requests.post(f"{receiver.url}/v2/systemsharedmemory/unregister", timeout=30)


@pytest.fixture
def infer(receiver: Receiver) -> Callable[[str], requests.Response]:
    def infer(camera: str) -> requests.Response:
        place = {"shared_memory_region": "frames", "shared_memory_byte_size": len(PIXELS)}
        given: dict[str, Any] = {"name": "x", "datatype": "UINT8", "shape": [*BGR.shape]}
        content = {"inputs": [given | {"parameters": place}], "parameters": {"camera": camera}}
        return requests.post(receiver.url + ROUTE, json=content, timeout=30)

    return infer


def mean(response: requests.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["outputs"][0]["data"][0]


def test_what_lies_in_shared_memory_is_what_the_hook_sees(
    memory: Path, infer: Callable[[str], requests.Response]
) -> None:
    assert mean(infer("a")) == f'{{"mean": {float(np.mean(BGR))}}}'

    memory.write_bytes(bytes(len(PIXELS)))

    assert mean(infer("a")) == '{"mean": 0.0}'


def test_memory_that_is_cut_short_under_a_hook_ends_the_hook_alone(
    receiver: Receiver, memory: Path, folder: Path, infer: Callable[[str], requests.Response]
) -> None:
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(infer, "slow")
        (folder / "began").read_bytes()
        os.truncate(memory, 0)
        (folder / "go").write_bytes(b"")
        died = answer.result()
    memory.write_bytes(PIXELS)

    assert died.status_code == 500
    assert "hook died" in died.json()["error"]
    assert mean(infer("a")) == f'{{"mean": {float(np.mean(BGR))}}}'
    assert requests.get(f"{receiver.url}/v2/health/live", timeout=30).status_code == 200


def test_a_body_shorter_than_it_said_is_no_request(receiver: Receiver) -> None:
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{{}}"
    )
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            told = answer.read()

    assert told.split()[1] == b"400"
    assert b"body: expected 50 bytes, got 2" in told
