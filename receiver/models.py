"""Models: the hooks under the names that inference clients call them by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from receiver.hooking.hook_worker import WorkerStatus
from receiver.hooking.hooks import HookSpec, split_target
from shared.errors import FrameError

State = Literal["ready", "loading", "unavailable"]


@dataclass(frozen=True, slots=True)
class Model:
    """A hook as a model. `camera` is the one that it is for; None: all without one of their own."""

    name: str
    target: str
    camera: str | None


class Models:
    """The hooks by name. Any thread.

    A name is the last part of the hook's module, `motion` for `hooks.motion:Motion`; of two hooks
    with the same one, the later gets its camera's name behind it. The whole target works as well.
    """

    def __init__(
        self, specs: Sequence[HookSpec], *, status: Callable[[], Sequence[WorkerStatus]]
    ) -> None:
        """`status` tells of every worker of every hook."""
        self._status = status
        self._models: dict[str, Model] = {}
        for spec in specs:
            name = self._free_name(spec)
            self._models[name] = Model(name, spec.target, spec.camera)

    def all(self) -> list[Model]:
        """Return the models in the order in which the hooks were given."""
        return list(self._models.values())

    def get(self, name: str) -> Model:
        """Return the model of that name or target; raise FrameError (404)."""
        model = self._models.get(name)
        if model is not None:
            return model
        for model in self._models.values():
            if model.target == name:
                return model
        names = ", ".join(self._models) or "none, for the receiver runs without --hook"
        raise FrameError(
            f"model: expected one of {names}; got {name[:80]!r}", status=404, reason="model"
        )

    def of_camera(self, camera: str) -> Model | None:
        """Return the model that gets the frames of `camera`, if one does."""
        general = None
        for model in self._models.values():
            if model.camera == camera:
                return model
            if model.camera is None:
                general = model
        return general

    def camera_of(self, model: Model, wished: str | None, *, default: str) -> str:
        """Return the camera whose frames `model` is asked about.

        Raise FrameError (400) when the frames of the camera go to another model.
        """
        camera = (model.camera or default) if wished is None else wished
        owner = self.of_camera(camera)
        if owner is not model:
            expected = model.camera or "cameras without a hook of their own"
            raise FrameError(
                f"camera: model {model.name} gets the frames of {expected}, not of {camera[:80]!r}",
                status=400,
                reason="camera",
            )
        return camera

    def state(self, model: Model) -> tuple[State, str]:
        """Return whether the model runs, and one sentence why where it does not."""
        workers = [each for each in self._status() if each.camera == (model.camera or "*")]
        states = [worker.state for worker in workers]
        if "ready" in states or "busy" in states:
            return "ready", ""
        why = next((worker.last_error for worker in workers if worker.last_error), "")
        if "starting" in states or "restarting" in states:
            return "loading", why or "the hook is being set up"
        return "unavailable", why or "the hook does not run"

    def check(self, model: Model) -> None:
        """Raise FrameError (503) when nothing is to be expected of the model soon."""
        why = self.trouble(model)
        if why is not None:
            raise FrameError(f"model: {model.name} does not run: {why}", status=503, reason="model")

    def trouble(self, model: Model | None) -> str | None:
        """Return why nothing is to be expected of the model soon, None where something is."""
        state, why = ("ready", "") if model is None else self.state(model)
        return why if state == "unavailable" else None

    def _free_name(self, spec: HookSpec) -> str:
        module, _ = split_target(spec.target)
        stem = PurePosixPath(module).stem if module.endswith(".py") else module.split(".")[-1]
        name = stem
        if name in self._models:
            name = f"{stem}-{spec.camera or 'all'}"
        while name in self._models:
            name += "-"
        return name
