"""Renditions: a frame in the size and quality that viewers wish, encoded once for all of them."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from shared.errors import FrameError

#: Widths are multiples of _SIDE pixels and qualities of _QUALITY_STEP, so that wishes that hardly
#: differ are one, and nobody makes the receiver encode once for every number there is.
_SIDE = 16
_QUALITY_STEP = 5
#: A rendition nobody asked for during this many seconds is dropped.
_IDLE = 5.0
#: More pictures at once than there are cores would only take more memory: 200 MB each for 8K.
making = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))

#: A camera's picture as it came, or as the hook left it.
View = Literal["raw", "annotated"]


class Shown(Protocol):
    """A camera's picture, such as an EncodedFrame. The same picture is the same object."""

    @property
    def camera(self) -> str: ...
    @property
    def epoch(self) -> str: ...
    @property
    def seq(self) -> int | None:
        """None where it has no number, as it is sent nowhere."""

    @property
    def captured_at(self) -> float:
        """Unix seconds."""
        ...

    @property
    def arrived(self) -> float:
        """Monotonic seconds; a newer picture's are more."""
        ...

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def jpeg(self) -> bytes | None:
        """Its own bytes where it is a JPEG already."""


P = TypeVar("P", bound=Shown)
#: Returns a picture as a JPEG of (width, height) and quality; of its own choice for None. Any
#: thread; raises FrameError when the picture does not decode.
Draw = Callable[[P, int, int, int | None], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a viewer wishes its pictures; None where it wishes nothing.

    Width and height (pixels) bound the picture, which keeps its aspect and never grows.
    """

    width: int | None = None
    height: int | None = None
    #: JPEG quality, 1 to 100.
    quality: int | None = None

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in which a picture of width × height is shown."""
        across = min(self.width or width, (self.height or height) * width // height)
        if across < width:
            across = max(across // _SIDE, 1) * _SIDE
        if across >= width:
            return width, height
        return across, max(1, round(height * across / width))


@dataclass(frozen=True, slots=True)
class Rendition(Generic[P]):
    """A JPEG, and the frame that it shows; one and the same for all who wish the same."""

    frame: P
    data: bytes
    width: int
    height: int
    #: The bytes that it is sent as, by form, made once for all viewers; see Multipart.
    parts: dict[bool, bytes] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Key:
    camera: str
    view: View
    width: int
    height: int
    quality: int | None


class _Slot(Generic[P]):
    """The newest rendition of one wish; `lock` is held while it is made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: Rendition[P] | FrameError | None = None
        self.arrived = -math.inf
        self.asked_at = 0.0


class Renditions(Generic[P]):
    """Makes and shares renditions. All methods may be called from any thread.

    For each camera, view and wish only the newest rendition is held, and of all of these at most
    `limit`: beyond, those that were not asked for the longest are dropped and made again when asked
    for.
    """

    def __init__(
        self,
        draw: Draw[P],
        *,
        limit: int = 256,
        prefix: str = "framepost",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The metrics' names begin with `prefix`."""
        self._draw = draw
        self._limit = limit
        self._prefix = prefix
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: OrderedDict[_Key, _Slot[P]] = OrderedDict()
        self._expired_at = clock()
        #: Without a lock: what viewers wish most, and a hundred of them at the same moment.
        self._untouched: dict[tuple[str, View], Rendition[P]] = {}
        #: How many pictures were encoded, and how many seconds that took.
        self.encodes = 0
        self.seconds = 0.0
        #: How many pictures viewers were too slow for.
        self.skipped = 0

    def render(self, frame: P, wish: Wish, *, view: View = "raw") -> Rendition[P]:
        """Return `frame` as wished; as its own, untouched bytes where it is that already.

        While a newer frame of the same camera and view was rendered so already, that one is
        returned. Blocks while another thread makes the same rendition. Raise FrameError when the
        picture does not decode.
        """
        width, height = wish.size(frame.width, frame.height)
        whole = (width, height) == (frame.width, frame.height)
        if whole and wish.quality is None and (jpeg := frame.jpeg) is not None:
            return self._untouched_of(frame, jpeg, view)
        quality = wish.quality and max(1, round(wish.quality / _QUALITY_STEP)) * _QUALITY_STEP
        key = _Key(frame.camera, view, width, height, quality)
        known = self._slots.get(key)
        made = None if known is None else known.made
        if isinstance(made, Rendition) and made.frame.arrived >= frame.arrived:
            # One of a hundred viewers made it; the others need not queue for the locks.
            return made
        slot = self._slot(key)
        with slot.lock:
            if slot.made is None or slot.arrived < frame.arrived:
                slot.arrived = frame.arrived
                try:
                    slot.made = self._make(frame, width, height, quality)
                except FrameError as exc:
                    slot.made = exc  # nobody else need try to decode it
            made = slot.made
        if isinstance(made, FrameError):
            raise FrameError(str(made), status=made.status, reason=made.reason)
        return made

    def expire(self) -> None:
        """Drop what nobody asked for lately. Cheap: may be called with every frame."""
        now = self._clock()
        if now - self._expired_at < _IDLE / 5:
            return
        with self._lock:
            self._expired_at = now
            while self._slots:
                key, slot = next(iter(self._slots.items()))
                if now - slot.asked_at < _IDLE:
                    break
                del self._slots[key]
            for name, rendition in list(self._untouched.items()):
                if now - rendition.frame.arrived >= _IDLE:
                    self._untouched.pop(name, None)

    def skip(self, pictures: int) -> None:
        """Note that a viewer was too slow for so many pictures."""
        with self._lock:
            self.skipped += pictures

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        encodes = CounterMetricFamily(f"{self._prefix}_renditions", "Pictures encoded for viewers")
        encodes.add_metric([], self.encodes)
        seconds = CounterMetricFamily(
            f"{self._prefix}_rendition_seconds", "Seconds that decoding and encoding them took"
        )
        seconds.add_metric([], self.seconds)
        skipped = CounterMetricFamily(
            f"{self._prefix}_pictures_skipped", "Pictures that viewers of streams were too slow for"
        )
        skipped.add_metric([], self.skipped)
        yield from (encodes, seconds, skipped)

    def held(self) -> int:
        """Return how many renditions are held."""
        with self._lock:
            return len(self._slots) + len(self._untouched)

    def _untouched_of(self, frame: P, jpeg: bytes, view: View) -> Rendition[P]:
        made = self._untouched.get((frame.camera, view))
        if made is None or made.frame is not frame:
            made = Rendition(frame, jpeg, frame.width, frame.height)
            self._untouched[frame.camera, view] = made
        return made

    def _slot(self, key: _Key) -> _Slot[P]:
        self.expire()
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            slot.asked_at = self._clock()
            self._slots.move_to_end(key)
            while len(self._slots) > self._limit:
                self._slots.popitem(last=False)
            return slot

    def _make(self, frame: P, width: int, height: int, quality: int | None) -> Rendition[P]:
        started = time.perf_counter()
        with making:
            made = Rendition(frame, self._draw(frame, width, height, quality), width, height)
        with self._lock:
            self.encodes += 1
            self.seconds += time.perf_counter() - started
        return made
