"""Every frame is accounted for, whatever happens in whichever order; see tests/books_machine.py.

With 2,000 examples: `python -m tests.survive books`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.camera import Camera
from receiver.order import Order
from receiver.pending import Pending
from receiver.result import Result
from shared import wire
from shared.frame import EncodedFrame
from tests import books_machine
from tests.books_machine import Broken


def test_every_frame_is_accounted_for() -> None:
    books_machine.play(150)


def finish_instead(camera: Camera, frame: EncodedFrame, error: str) -> None:
    camera.finish(Result.failed(frame, error))


def never(*_: object, **__: object) -> bool:
    return False


@pytest.mark.parametrize(
    ("owner", "name", "without"),
    [
        pytest.param(Order, "knows", never, id="repeated frames are known"),
        pytest.param(Pending, "repeat", never, id="what waits is not settled"),
        pytest.param(Pending, "join", lambda *_: None, id="who repeats it waits with the first"),
        pytest.param(Camera, "abandon", finish_instead, id="a stop is no go of the hook's"),
        pytest.param(Order, "forget", never, id="what a stop cut off may come again"),
        pytest.param(wire, "_read_redelivered", never, id="it is marked"),
    ],
)
def test_the_machine_misses_what_is_taken_away(
    owner: object, name: str, without: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, without)

    with pytest.raises(Broken):
        books_machine.play(400, shrink=False)
