"""Fixtures for the clients: pictures that know their number, and a receiver that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared import codec, pattern
from tests.clients.java import Scripts, compile_client
from tests.program import Receiver

MakeFolder = Callable[..., Path]
SECRET = "a-very-secret-token"


def blocks(readme: Path, language: str, *, url: str) -> list[str]:
    """Return the blocks of code in that language, with `url` for the receiver's usual address."""
    text = readme.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", url)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Return a maker of a folder with the JPEGs 000.jpg, 001.jpg, …, each number in its pixels."""

    def make(
        count: int, *, name: str = "pictures", first: int = 0, size: tuple[int, int] = (160, 120)
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for number in range(first, first + count):
            picture = codec.encode(pattern.draw(number, *size), 90)
            (folder / f"{number:03}.jpg").write_bytes(picture)
        return folder

    return make


@pytest.fixture(scope="module")
def witness() -> Iterator[Receiver]:
    """Return a live receiver whose hook reads the frame's number from the pixels.

    One for all tests of a module: take a camera of your own (`/cameras/NAME/frames`) in each.
    The hook's result: {"frames", "illegible", "disorder", "number", "age_ms"}.
    """
    with Receiver("--hook", "tests.witness:Witness") as receiver:
        receiver.wait_for("ready")
        yield receiver


@pytest.fixture(scope="module")
def guarded() -> Iterator[Receiver]:
    """Return a live receiver that asks for the token SECRET."""
    with Receiver(env={"RECEIVER_TOKEN": SECRET}) as receiver:
        yield receiver


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the Java client and its example, compiled."""
    return compile_client(tmp_path_factory.mktemp("classes"))


@pytest.fixture
def java(java_classes: Path, tmp_path: Path) -> Scripts:
    """Return what runs lines of Java against the client."""
    return Scripts(java_classes, tmp_path)
