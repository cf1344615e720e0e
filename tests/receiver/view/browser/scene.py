"""Scene: a street that is drawn, with what a detector would find in it, for the screenshots."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from shared.codec import Image

WIDTH, HEIGHT = 640, 360
_CARS = ((52, 84, 196), (168, 120, 40), (70, 70, 76), (60, 150, 190))
_COATS = ((150, 90, 60), (70, 130, 90), (90, 80, 170))


def street(seed: int, at: float, *, night: bool = False) -> tuple[Image, dict[str, Any]]:
    """Return the picture, height × width × 3 BGR, `at` seconds, and its result."""
    chance = np.random.default_rng(seed)
    sky = (64, 44, 30) if night else (228, 198, 164)
    image = np.full((HEIGHT, WIDTH, 3), sky, np.uint8)
    horizon = 150 + int(chance.integers(-12, 12))
    for left in range(-20, WIDTH, 90):
        high = int(chance.integers(50, 130))
        tone = int(chance.integers(36, 60)) if night else int(chance.integers(130, 185))
        house = (left, horizon - high), (left + 82, horizon)
        cv2.rectangle(image, *house, (tone, tone - 4, tone - 8), cv2.FILLED)
        lit = (120, 200, 235) if night else (tone + 30, tone + 26, tone + 20)
        for x in range(left + 10, left + 72, 18):
            for y in range(horizon - high + 10, horizon - 16, 22):
                if chance.random() < 0.7:
                    cv2.rectangle(image, (x, y), (x + 9, y + 12), lit, cv2.FILLED)
    road = (58, 56, 54) if night else (112, 110, 108)
    pavement = (84, 82, 80) if night else (176, 174, 170)
    cv2.rectangle(image, (0, horizon), (WIDTH, 210), pavement, cv2.FILLED)
    cv2.rectangle(image, (0, 210), (WIDTH, HEIGHT), road, cv2.FILLED)
    for x in range(-60, WIDTH, 80):
        cv2.rectangle(image, (x, 282), (x + 42, 287), (200, 200, 200), cv2.FILLED)
    objects = [_person(image, chance, n, at) for n in range(2)]
    objects += [_car(image, chance, n, at) for n in range(2)]
    lines = [{"points": [[430, 210], [520, 360]], "label": "stop line", "color": "#facc15"}]
    passed = 40 + seed + int(at)
    return image, {
        "objects": objects,
        "lines": lines,
        "texts": [{"text": f"passed: {passed}", "at": [8, 352]}],
    }


def _car(image: Image, chance: np.random.Generator, number: int, at: float) -> dict[str, Any]:
    lane = (232, 300)[number]
    speed = (46.0, -58.0)[number]
    x = int((chance.integers(0, 500) + speed * at) % 560) - 20
    long, high = 150, 54
    color = _CARS[int(chance.integers(len(_CARS)))]
    body = ((x, lane + 20), (x + long, lane + high - 8))
    cv2.ellipse(image, (x + long // 2, lane + high), (long // 2, 6), 0, 0, 360, (40, 40, 40), -1)
    cv2.rectangle(image, *body, color, cv2.FILLED)
    roof = np.array([[x + 24, lane + 20], [x + 46, lane], [x + 108, lane], [x + 134, lane + 20]])
    cv2.fillPoly(image, [roof], [int(c * 0.8) for c in color])
    glass = np.array(
        [[x + 34, lane + 18], [x + 50, lane + 4], [x + 104, lane + 4], [x + 122, lane + 18]]
    )
    cv2.fillPoly(image, [glass], (214, 200, 180))
    for wheel in (x + 32, x + 118):
        cv2.circle(image, (wheel, lane + high - 6), 12, (30, 30, 30), cv2.FILLED)
        cv2.circle(image, (wheel, lane + high - 6), 5, (150, 150, 150), cv2.FILLED)
    score = round(0.88 + 0.1 * float(chance.random()), 2)
    box = [x - 2, lane - 2, long + 4, high + 10]
    return {"label": "car", "score": score, "box": box, "track": 10 + number}


def _person(image: Image, chance: np.random.Generator, number: int, at: float) -> dict[str, Any]:
    x = int((chance.integers(40, 220) + number * 300 + (9, -8)[number] * at) % WIDTH)
    y = 138
    swing = int(8 * np.sin(at * 5 + number))
    coat = _COATS[int(chance.integers(len(_COATS)))]
    hip, neck, head = (x, y + 42), (x, y + 14), (x, y + 4)
    feet = (x - swing, y + 72), (x + swing, y + 72)
    hands = (x - 10 - swing, y + 36), (x + 10 + swing, y + 36)
    for foot in feet:
        cv2.line(image, hip, foot, (60, 50, 44), 6)
    for hand in hands:
        cv2.line(image, neck, hand, coat, 5)
    cv2.rectangle(image, (x - 8, y + 12), (x + 8, y + 44), coat, cv2.FILLED)
    cv2.circle(image, head, 8, (150, 180, 220), cv2.FILLED)
    joints = [list(each) for each in (head, neck, hip, *hands, *feet)]
    return {
        "label": "person",
        "score": round(0.74 + 0.2 * float(chance.random()), 2),
        "box": [x - 22, y - 8, 44, 84],
        "track": 30 + number,
        "keypoints": joints,
        "skeleton": [[0, 1], [1, 2], [1, 3], [1, 4], [2, 5], [2, 6]],
    }
