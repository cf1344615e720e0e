"""Picture: the one input of every model, pixels or an encoded picture, on its way to the desk."""

from __future__ import annotations

from receiver.desk import Desk
from receiver.fate import Fate
from receiver.kserve.inference_request import Input
from receiver.kserve.regions import Piece, Regions
from receiver.kserve.tensors import element_length, numbers_from_json, picture_from_json
from receiver.raw import Layout
from receiver.region import SharedFrame
from shared import jpeg
from shared.errors import FrameError
from shared.wire import Envelope

#: Layouts of three channels, and of planes that make the picture half as high again.
_PACKED = ("bgr", "rgb")
_PLANES = ("i420", "nv12")


class Pictures:
    """Gives the input of an inference request to the desk. Any thread."""

    def __init__(self, desk: Desk, regions: Regions, *, max_bytes: int, max_pixels: int) -> None:
        """`max_bytes` limits what comes over HTTP and what is encoded; pixels in shared memory
        are limited by `max_pixels` alone."""
        self._desk = desk
        self._regions = regions
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    def submit(
        self,
        given: Input,
        camera: str,
        envelope: Envelope,
        *,
        layout: str | None,
        received: float,
        wait: float,
    ) -> Fate:
        """Let the hook of `camera` process the picture, and wait; raise FrameError.

        For a caller who holds a seat. `received` is Unix seconds.
        """
        pixels = None if given.datatype == "BYTES" else _layout(given.shape, layout)
        if pixels is not None and isinstance(given.data, Piece):
            frame = self._share(given.data, camera, envelope, pixels, received)
            return self._desk.submit(frame, every=True, wait=wait, seated=True)
        body = self._encoded(given, layout) if pixels is None else self._pixels(given)
        if len(body) > self._max_bytes:
            raise FrameError(
                f"image: expected at most {self._max_bytes} bytes, got {len(body)}",
                status=413,
                reason="too_large",
            )
        return self._desk.take(
            *(camera, body, envelope),
            media_type="" if pixels is None else pixels.content_type,
            received=received,
            every=True,
            wait=wait,
            seated=True,
        )

    def _share(
        self, piece: Piece, camera: str, envelope: Envelope, layout: Layout, received: float
    ) -> SharedFrame:
        """Return a frame that says where the pixels lie, and has none."""
        jpeg.check_size(layout.width, layout.height, self._max_pixels)
        region = self._regions.open(piece)
        layout.check(piece.size)
        return SharedFrame(
            **self._desk.identify(camera, envelope, received),
            data=b"",
            width=layout.width,
            height=layout.height,
            media_type=layout.media_type,
            region=region,
        )

    def _pixels(self, given: Input) -> bytes:
        if isinstance(given.data, bytes):
            return given.data
        count = 1
        for side in given.shape:
            count *= side
        return numbers_from_json(given.data, count=count)

    def _encoded(self, given: Input, layout: str | None) -> bytes:
        if given.shape not in ((1,), (1, 1)):
            raise _wrong(f"shape: expected [1], one picture in BYTES, got {list(given.shape)}")
        if layout is not None:
            raise _wrong("layout: expected none for an encoded picture; it says how pixels lie")
        data = given.data
        if isinstance(data, Piece):
            with_length = Piece(data.region, data.offset, min(4, data.size))
            length = element_length(self._regions.open(with_length).read(), size=data.size)
            if length > self._max_bytes:
                length = self._max_bytes + 1  # which is refused, and no more is read
            return self._regions.open(Piece(data.region, data.offset + 4, length)).read()
        if isinstance(data, bytes):
            length = element_length(data[:4], size=len(data))
            if length + 4 != len(data):
                raise _wrong(
                    f"shape: expected one element, got {len(data) - length - 4} more bytes"
                )
            return data[4:]
        return picture_from_json(data)


def _layout(shape: tuple[int, ...], layout: str | None) -> Layout:
    """Return how pixels of that shape lie; raise FrameError (400)."""
    sides = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    channels = sides[2] if len(sides) == 3 else 1
    if layout is None:
        layout = "bgr" if channels == 3 else "gray"
    if layout not in (*_PACKED, "gray", *_PLANES):
        raise _wrong(f"layout: expected bgr, rgb, gray, i420 or nv12, got {layout[:80]!r}")
    if len(sides) not in (2, 3) or channels != (3 if layout in _PACKED else 1):
        expected = {
            "gray": "[height, width]",
            "i420": "[height * 3 / 2, width]",
            "nv12": "[height * 3 / 2, width]",
        }.get(layout, "[height, width, 3]")
        raise _wrong(f"shape: expected {expected} for {layout} pixels, got {list(shape)}")
    height, width = sides[:2]
    if layout in _PLANES:
        if height % 3 or width % 2:
            raise _wrong(
                f"shape: expected [height * 3 / 2, width] of even sides for {layout} pixels, "
                f"got {list(shape)}"
            )
        height = height // 3 * 2
    jpeg.check_size(width, height)
    return Layout(layout, width, height)


def _wrong(message: str) -> FrameError:
    return FrameError(message, status=400, reason="tensor")
