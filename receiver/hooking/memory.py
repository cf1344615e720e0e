"""Memory: what a stateful hook knows of cameras that come and go between workers."""

from __future__ import annotations

from receiver.hooking import hooks
from receiver.hooking.hooks import Hook


class Memory:
    """Which cameras a hook has served. A camera that comes back after another worker had it would
    else meet what the hook knew of it then.
    """

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._served: set[str] = set()

    def begin(self, camera: str, *, is_new: bool) -> None:
        """Note that a frame of `camera` is next; `is_new`: it comes to this worker anew.

        The hook forgets it by its `forget(camera)`, else by teardown and setup. Raise HookError.
        """
        if is_new and camera in self._served:
            if self._hook.forget is not None:
                hooks.forget(self._hook, camera)
            else:
                hooks.tear_down(self._hook)
                self._served.clear()
                hooks.set_up(self._hook)
        self._served.add(camera)
