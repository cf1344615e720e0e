from __future__ import annotations

import logging

import pytest

from receiver.camera import Camera
from receiver.governor import Governor
from receiver.result import Result
from shared.frame import EncodedFrame


class Scene:
    """A camera at `rate` frames a second, a hook that manages `speed` of them, on a set clock.

    The sender obeys at once.
    """

    def __init__(self, *, rate: float = 25.0, speed: float = 2.0) -> None:
        self.now = 1000.0
        self.camera = Camera("cam1", clock=lambda: self.now)
        self.governor = Governor(clock=lambda: self.now)
        self.rate = rate
        self.speed = speed
        self._seq = 0
        self._busy_until = 0.0
        self.asked: list[float | None] = []

    def run(self, seconds: float, *, outcome: str = "processed") -> float | None:
        """Let frames come for `seconds`; return what is asked for at the end."""
        end = self.now + seconds
        while self.now < end:
            rate = min(self.rate, self.governor.fps or self.rate)
            self.now += 1 / rate
            self._post()
            if self.speed and self.now >= self._busy_until:
                # It began as soon as it was free, with the frame that waited then.
                self._busy_until = max(self._busy_until, self.now - 1 / rate) + 1 / self.speed
                self._finish(outcome)
            self.governor.look(self.camera)
            if not self.asked or self.asked[-1] != self.governor.fps:
                self.asked.append(self.governor.fps)
        return self.governor.fps

    def _post(self) -> None:
        self._seq += 1
        self.camera.accept(
            EncodedFrame(
                camera="cam1",
                epoch="e1",
                seq=self._seq,
                captured_at=0.0,
                data=b"",
                width=64,
                height=48,
            )
        )

    def _finish(self, outcome: str) -> None:
        frame = self.camera.pending.take()
        assert frame is not None
        self.camera.finish(
            Result(
                frame=frame,
                picture=frame,
                state=outcome,  # type: ignore[arg-type]
                queue=0,
                decode=0,
                hook=0,
            )
        )


@pytest.mark.parametrize("outcome", ["processed", "failed"])
def test_a_slow_hook_is_sent_four_times_what_it_can_use(outcome: str) -> None:
    scene = Scene(rate=25, speed=2)

    assert scene.run(9) is None
    assert scene.run(2, outcome=outcome) == pytest.approx(8, abs=0.5)
    first = scene.governor.fps
    assert scene.run(300, outcome=outcome) == first


def test_fewer_than_one_frame_a_second_is_never_asked_for() -> None:
    assert Scene(rate=10, speed=0.2).run(60) == 1


@pytest.mark.parametrize("speed", [25, 13, 9])
def test_a_hook_that_is_not_far_too_slow_gets_all(speed: float) -> None:
    scene = Scene(rate=25, speed=speed)
    scene.run(100)

    assert scene.asked == [None]


def test_a_hook_that_answers_nothing_says_nothing_about_its_speed() -> None:
    assert Scene(speed=0).run(100) is None


def test_a_slow_camera_is_not_asked_for_what_it_cannot_do() -> None:
    assert Scene(rate=0.9, speed=0.2).run(100) is None


def test_a_hook_that_became_faster_gets_more_until_it_has_all() -> None:
    scene = Scene(rate=25, speed=2)
    scene.run(15)
    first = scene.governor.fps or 0
    scene.asked.clear()
    scene.speed = 100
    scene.run(60)

    assert scene.asked == pytest.approx([first, 2 * first, None])
    assert scene.run(60) is None


def test_a_hook_that_became_slower_gets_less() -> None:
    scene = Scene(rate=25, speed=4)
    scene.run(15)
    scene.speed = 1

    assert scene.run(30) == pytest.approx(4, abs=0.3)


def test_a_hook_that_was_slow_and_slower_gets_all_in_the_end() -> None:
    scene = Scene(rate=25, speed=4)
    scene.run(15)
    scene.speed = 0.8
    slowest = scene.run(30) or 0
    scene.asked.clear()
    scene.speed = 100
    scene.run(60)

    assert scene.asked == pytest.approx([slowest, 2 * slowest, 4 * slowest, None])


@pytest.mark.parametrize("speed", [0.4, 1, 2, 3.3, 5, 8])
def test_whatever_the_hook_s_speed_the_rate_comes_to_rest(speed: float) -> None:
    scene = Scene(rate=25, speed=speed)
    scene.run(60)
    scene.asked.clear()
    scene.run(300)

    assert len(scene.asked) == 1


@pytest.mark.parametrize("how", ["viewer", "glance"])
def test_who_watches_sees_every_frame(how: str) -> None:
    scene = Scene(speed=2)
    limited = scene.run(15)
    assert limited is not None

    for _ in range(20):
        if how == "viewer":
            scene.camera.viewers = 1
        else:
            scene.camera.glance()
        assert scene.run(2) is None
    scene.camera.viewers = 0

    assert scene.run(9) is None
    assert scene.run(7) == pytest.approx(limited, abs=0.3)


def test_a_camera_that_was_away_is_judged_anew() -> None:
    scene = Scene(rate=25, speed=2)
    scene.run(9)
    scene.now += 60

    assert scene.run(9) is None
    assert scene.run(2) == pytest.approx(8, abs=0.5)


def test_a_change_is_told_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene(rate=25, speed=2)
    scene.run(40)
    scene.camera.glance()
    scene.run(1)

    assert len(caplog.messages) == 2
    assert "its hook processes 2.0 of 2" in caplog.messages[0]
    assert "asking its sender for 8 frames" in caplog.messages[0]
    assert caplog.messages[1] == (
        "camera cam1: somebody watches it; asking its sender for all frames again"
    )
