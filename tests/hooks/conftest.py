"""What the example hooks' tests share: a frame of any picture, and what a hook returned for it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from receiver.frame import Frame
from shared import codec
from shared.codec import Image
from shared.frame import EncodedFrame

Show = Callable[..., Frame]


@pytest.fixture
def show() -> Show:
    """Return a maker of frames, numbered as they are made."""
    made = 0

    def make(image: Image, camera: str = "cam1", epoch: str = "e1") -> Frame:
        nonlocal made
        made += 1
        return Frame(
            EncodedFrame(
                camera=camera,
                epoch=epoch,
                seq=made,
                captured_at=time.time(),
                data=codec.encode(image, 90),
                width=image.shape[1],
                height=image.shape[0],
            )
        )

    return make
