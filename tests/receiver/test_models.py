from __future__ import annotations

import pytest

from receiver.hooking.hook_worker import State
from receiver.hooking.hooks import HookSpec
from receiver.models import Models
from shared.errors import FrameError
from tests.receiver.answering import worker


def models(*hooks: str) -> Models:
    return Models([HookSpec.parse(hook) for hook in hooks], status=list)


@pytest.mark.parametrize(
    ("hooks", "names"),
    [
        (["hooks.motion:Motion"], ["motion"]),
        (["motion"], ["motion"]),
        (["my/detector.py:Detector"], ["detector"]),
        (["hooks.a:process", "door=other.a:process"], ["a", "a-door"]),
        (["door=hooks.a:process", "hooks.a:process"], ["a", "a-all"]),
        (["x=a:p", "y=a:p", "z=a-y.py:p"], ["a", "a-y", "a-y-z"]),
        ([], []),
    ],
)
def test_a_model_has_the_short_name_of_its_hook(hooks: list[str], names: list[str]) -> None:
    assert [model.name for model in models(*hooks).all()] == names


def test_a_model_is_found_by_its_name_and_by_its_target() -> None:
    known = models("hooks.motion:Motion", "door=hooks.faces:process")

    assert known.get("faces").camera == "door"
    assert known.get("hooks.faces:process").name == "faces"


def test_an_unknown_model_is_an_error_that_says_which_there_are() -> None:
    with pytest.raises(FrameError, match="expected one of motion, faces; got 'face'") as caught:
        models("hooks.motion:Motion", "door=hooks.faces:process").get("face")
    assert caught.value.status == 404

    with pytest.raises(FrameError, match="runs without --hook"):
        models().get("motion")


def test_a_model_is_asked_about_cameras_whose_frames_it_gets() -> None:
    known = models("motion", "door=faces")
    motion, faces = known.all()

    assert known.camera_of(motion, None, default="kserve") == "kserve"
    assert known.camera_of(motion, "yard", default="kserve") == "yard"
    assert known.camera_of(faces, None, default="kserve") == "door"
    assert known.camera_of(faces, "door", default="kserve") == "door"
    with pytest.raises(FrameError, match="faces gets the frames of door, not of 'yard'"):
        known.camera_of(faces, "yard", default="kserve")
    with pytest.raises(FrameError, match="motion gets the frames of cameras without a hook"):
        known.camera_of(motion, "door", default="kserve")
    with pytest.raises(FrameError, match="not of 'door'"):
        known.camera_of(motion, None, default="door")


def test_a_camera_without_a_hook_has_no_model() -> None:
    assert models("door=faces").of_camera("yard") is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["ready", "failed"], "ready"),
        (["busy"], "ready"),
        (["starting"], "loading"),
        (["restarting", "failed"], "loading"),
        (["failed"], "unavailable"),
    ],
)
def test_a_model_is_ready_when_one_of_its_workers_is(states: list[State], expected: str) -> None:
    workers = [worker("faces", "door", state, "ImportError: no") for state in states]
    others = [worker("motion"), worker("motion", state="failed")]
    known = Models(
        [HookSpec("motion"), HookSpec("faces", "door")], status=lambda: [*others, *workers]
    )

    state, why = known.state(known.get("faces"))

    assert (state, why) == (expected, "" if expected == "ready" else "ImportError: no")


def test_a_model_that_cannot_be_set_up_is_refused_with_its_reason() -> None:
    workers = [worker("faces", state="failed", last_error="ImportError: no module named dlib")]
    known = Models([HookSpec("faces")], status=lambda: workers)

    with pytest.raises(FrameError, match="faces does not run: ImportError: no module") as caught:
        known.check(known.get("faces"))
    assert caught.value.status == 503


def test_a_model_that_is_being_set_up_may_be_asked() -> None:
    known = Models([HookSpec("faces")], status=lambda: [worker("faces", state="starting")])

    known.check(known.get("faces"))
