"""Components: what a program consists of that runs by itself, started and stopped as one."""

from __future__ import annotations

from typing import Protocol


class Component(Protocol):
    """Something with threads or processes of its own, such as a Worker."""

    @property
    def error(self) -> BaseException | None:
        """The bug that ended it, if one did."""
        ...

    def start(self) -> object: ...
    def stop(self) -> object: ...


class Components:
    """Started in their order, and stopped in the reverse one: what passes things on to another
    stands after it.
    """

    def __init__(self, *components: Component | None) -> None:
        """None is a component that is not wished."""
        self._components = [component for component in components if component is not None]

    def start(self) -> None:
        for component in self._components:
            component.start()

    def stop(self) -> None:
        for component in reversed(self._components):
            component.stop()

    @property
    def error(self) -> BaseException | None:
        """The bug that ended one of them."""
        return next((each.error for each in self._components if each.error), None)

    def problems(self) -> list[str]:
        """Say what a supervisor should know: that one of them ended by a bug."""
        error = self.error
        return [] if error is None else [f"a worker died of a bug: {error!r}"]
