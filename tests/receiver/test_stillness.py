"""A picture that stands still, as different encoders send it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from receiver.stillness import Stillness
from shared import codec, pattern
from shared.codec import Image
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame

FPS = 10


def looked_at(pictures: Iterable[bytes], frame: EncodedFrame) -> list[bool]:
    """Return what is said after each picture, at 10 frames a second."""
    stillness = Stillness()
    said = []
    for number, data in enumerate(pictures):
        stillness.look(dataclasses.replace(frame, data=data), number / FPS)
        said.append(bool(stillness))
    return said


def still() -> Image:
    return pattern.draw(0, 160, 120, 0.0)


def test_what_an_encoder_makes_of_a_still_picture_again_and_again_is_frozen(
    make_frame: MakeFrame,
) -> None:
    group = [codec.encode(still(), quality) for quality in (70, 80, 81, 82, 83)]
    said = looked_at(group * 20, make_frame())

    assert not any(said[: 3 * FPS])
    assert all(said[5 * FPS :])


def test_it_is_no_longer_frozen_with_the_first_picture_that_moves(make_frame: MakeFrame) -> None:
    group = [codec.encode(still(), quality) for quality in (70, 80, 81)]
    moving = [codec.encode(pattern.draw(n, 160, 120, n), 80) for n in range(1, 5)]

    assert looked_at([*(group * 20), *moving], make_frame())[-5:] == [True, *[False] * 4]


def test_a_still_scene_with_noise_in_it_is_live(make_frame: MakeFrame) -> None:
    rng = np.random.default_rng(1)
    noisy = [
        codec.encode(
            np.clip(still() + rng.normal(0, 1, (120, 160, 3)), 0, 255).astype(np.uint8), 80
        )
        for _ in range(12 * FPS)
    ]

    assert not any(looked_at(noisy, make_frame()))


def test_a_film_in_a_loop_moves(make_frame: MakeFrame) -> None:
    film = []
    for place in range(7):
        picture = still()
        picture[80:, 20 * place : 20 * place + 20] = 255
        film.append(codec.encode(picture, 80))

    assert not any(looked_at(film * 20, make_frame()))


def test_what_comes_again_and_is_no_jpeg_is_live(make_frame: MakeFrame) -> None:
    assert not any(looked_at([b"one", b"another"] * 50, make_frame()))
