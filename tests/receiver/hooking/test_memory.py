"""What a stateful hook knew of a camera is forgotten when the camera comes back from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.hooking.hooks import Hook, HookError
from receiver.hooking.memory import Memory


class Told:
    """A hook that notes what it is told."""

    def __init__(self, *, forgets: bool) -> None:
        self.log: list[str] = []
        self.hook = Hook(
            target="my_hook:Told",
            file=Path("my_hook.py"),
            process=lambda frame: None,
            setup=lambda: self.log.append("setup"),
            teardown=lambda: self.log.append("teardown"),
            stateful=True,
            forget=(lambda camera: self.log.append(f"forget {camera}")) if forgets else None,
        )


def test_a_camera_that_never_was_here_is_no_reason_to_forget() -> None:
    told = Told(forgets=False)
    memory = Memory(told.hook)

    memory.begin("cam1", is_new=True)
    memory.begin("cam1", is_new=False)
    memory.begin("cam2", is_new=True)

    assert told.log == []


def test_a_hook_forgets_a_camera_that_comes_back() -> None:
    told = Told(forgets=True)
    memory = Memory(told.hook)
    memory.begin("cam1", is_new=True)

    memory.begin("cam1", is_new=True)

    assert told.log == ["forget cam1"]


def test_a_hook_that_cannot_forget_is_set_up_anew() -> None:
    told = Told(forgets=False)
    memory = Memory(told.hook)
    memory.begin("cam1", is_new=True)
    memory.begin("cam2", is_new=True)

    memory.begin("cam1", is_new=True)
    memory.begin("cam2", is_new=True)

    assert told.log == ["teardown", "setup"]


def test_what_forget_raises_names_the_hook() -> None:
    def forget(camera: str) -> None:
        raise KeyError(camera)

    hook = Hook("my_hook:Told", Path("my_hook.py"), print, print, print, True, forget)
    memory = Memory(hook)
    memory.begin("cam1", is_new=True)

    with pytest.raises(HookError, match=r"my_hook:Told: forget: KeyError"):
        memory.begin("cam1", is_new=True)
