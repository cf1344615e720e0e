"""Window: through which viewers at the sender look at one camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sender.picture import Picture
from sender.view.sight import Sight
from shared.latest import Latest
from shared.view.freshness import State, state_at
from shared.view.renditions import View


class Window:
    """Holds a camera's newest picture, whole and unencoded, whatever is posted of it. Any thread.

    Nothing is made of a picture before a viewer asks for it.
    """

    def __init__(
        self,
        name: str,
        *,
        quality: int = 80,
        interval: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`quality` is for viewers who wish none; `interval` is the seconds that the camera may
        take from one picture to the next.
        """
        self.name = name
        self._latest: Latest[Sight] = Latest()
        self._quality = quality
        self._interval = interval
        self._clock = clock
        self._seen_at = clock()

    def show(self, picture: Picture, *, epoch: str, seq: int | None, captured: float) -> None:
        """Have viewers see `picture` from now on; `captured` is monotonic seconds. Never waits."""
        now = self._seen_at = self._clock()
        self._latest.put(
            Sight(
                camera=self.name,
                epoch=epoch,
                seq=seq,
                captured_at=time.time() - (now - captured),
                arrived=now,
                picture=picture,
                quality=self._quality,
            )
        )

    def close(self) -> None:
        """Show nothing newer: the streams of all who look end."""
        self._latest.close()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every picture; it must not block."""
        self._latest.listen(listener)

    def feed(self, view: View) -> tuple[View, Latest[Sight]]:
        """Return the camera's pictures, whatever the view: no hook has drawn in them."""
        return "raw", self._latest

    def age(self) -> float:
        """Return the seconds since a picture last came; before the first, since the start."""
        return self._clock() - self._seen_at

    def state(self) -> State:
        return state_at(self.age() - self._interval)

    def is_newer_elsewhere(self) -> bool:
        """Nobody else has its pictures."""
        return False

    def glance(self) -> None:
        """Nothing depends on who looks."""

    def count_viewers(self, change: int) -> None:
        """Nothing depends on who looks."""

    def count_shown(self, frame: Sight, /) -> None:
        """Nothing depends on who looks."""


class Windows:
    """Those of a sender's cameras, in the settings' order. Any thread."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._windows = {window.name: window for window in windows}

    def get(self, name: str) -> Window | None:
        return self._windows.get(name)

    def cameras(self) -> list[Window]:
        return list(self._windows.values())

    def close(self) -> None:
        for window in self._windows.values():
            window.close()
