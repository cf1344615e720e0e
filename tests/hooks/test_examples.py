from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hooks import brightness, edges, motion, qr
from receiver.hooking import hooks
from receiver.hooking.answer import ask
from shared import codec
from shared.codec import Image
from tests.hooks.conftest import Show

ROOT = Path(__file__).parent.parent.parent


def grey(value: int, width: int = 640, height: int = 480) -> Image:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(
    "target",
    [
        "hooks.brightness:process",
        "hooks.edges:process",
        "hooks.motion:Motion",
        "hooks.qr:QrCodes",
        "my_hooks.my_hook:process",
    ],
)
def test_every_example_runs_as_a_user_runs_it(
    target: str, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    hook = hooks.load(target)
    hooks.set_up(hook)
    answers = [ask(hook, show(grey(90)), 85) for _ in range(2)]
    hooks.tear_down(hook)

    assert [answer.error for answer in answers] == [None, None]


def test_brightness_is_the_mean(show: Show) -> None:
    assert brightness.process(show(grey(90)))["brightness"] == pytest.approx(90, abs=2)


def test_edges_are_where_the_picture_changes(show: Show) -> None:
    image = grey(0)
    image[:, 320:] = 255
    found = edges.process(show(image))

    assert found[:, 318:323].max() == 255
    assert found[:, :300].max() == found[:, 340:].max() == 0


def scene(x: int | None) -> Image:
    image = grey(60)
    if x is not None:
        image[200:280, x : x + 80] = 220
    return image


def test_motion_puts_a_box_around_what_moves(show: Show) -> None:
    hook = motion.Motion()
    hook.setup()
    still = [hook.process(show(scene(None)))[0]["motion"] for _ in range(20)]
    value, picture = hook.process(show(scene(300)))

    assert not any(still)
    assert value["motion"]
    ((x, y, width, height),) = value["boxes"]
    assert (x, y) == (pytest.approx(300, abs=16), pytest.approx(200, abs=16))
    assert (width, height) == (pytest.approx(80, abs=32), pytest.approx(80, abs=32))
    assert tuple(picture[y, x + 5]) == (0, 255, 255)


def test_motion_keeps_cameras_apart_and_begins_anew_with_a_new_epoch(show: Show) -> None:
    hook = motion.Motion()
    hook.setup()
    for _ in range(20):
        hook.process(show(scene(None), camera="a"))
        hook.process(show(scene(300), camera="b"))

    assert not hook.process(show(scene(300), camera="b"))[0]["motion"]
    assert hook.process(show(scene(300), camera="a"))[0]["motion"]
    assert not hook.process(show(scene(100), camera="a", epoch="e2"))[0]["motion"]
    assert not hook.process(show(grey(5, 320, 240), camera="a", epoch="e2"))[0]["motion"]


def test_qr_codes_are_read_and_outlined(show: Show) -> None:
    image = grey(255)
    for text, x in (("left", 40), ("https://example.com/right", 360)):
        code = cv2.QRCodeEncoder.create().encode(text)
        code = cv2.resize(code, (220, 220), interpolation=cv2.INTER_NEAREST)
        image[100:320, x : x + 220] = cv2.cvtColor(code, cv2.COLOR_GRAY2BGR)
    hook = qr.QrCodes()
    hook.setup()
    value, picture = hook.process(show(image))

    codes = sorted(value["codes"], key=lambda code: str(code["text"]))
    assert [code["text"] for code in codes] == ["https://example.com/right", "left"]
    assert 340 < min(x for x, _ in codes[0]["polygon"]) < 420
    assert (codec.decode(show(image).jpeg) != picture).any()
    assert hook.process(show(grey(128)))[0] == {"codes": []}
