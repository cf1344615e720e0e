"""What a receiver reads of strangers: pictures, the forms of bodies, headers."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import suppress

from receiver import formats, raw
from receiver.kserve import inference_request
from receiver.listeners.redis_value import read_value
from receiver.listeners.zmq_head import read_head
from receiver.prefer import read_every, read_wait
from receiver.wish import read_wish
from shared import codec, jpeg, wire
from shared.access.authorization import is_basic, read_token
from shared.byte_stream import ByteStream
from shared.control import Control
from shared.errors import FrameError
from shared.frame import check_camera
from shared.multipart import Multipart
from shared.retry_after import read_retry_after
from shared.traceparent import TraceParent
from tests.fuzz.target import Target, check

_LIMIT = 100_000
_HEADERS = (
    *(wire.EPOCH, wire.SEQ, wire.CAPTURED_AT, wire.SENT_AT, wire.DIGEST, wire.TRACE),
    *(wire.LAST_EXCHANGE, wire.REDELIVERED),
)


def _picture(data: bytes) -> None:
    with suppress(FrameError):
        picture = formats.inspect(data)
        check(0 < picture.width * picture.height <= jpeg.MAX_PIXELS, "a picture has a sane size")
        check(data.startswith(picture.data), "a picture's bytes are those that came")
        again = formats.inspect(picture.data)
        check(again == picture, "what was taken once is taken again")


def _decoded(data: bytes) -> None:
    """Decode what is taken, where that is no matter of seconds."""
    with suppress(FrameError):
        picture = formats.inspect(data, max_pixels=1 << 16)
        if picture.media_type == "image/jpeg":
            height, width, channels = codec.decode(picture.data).shape
            check((width, height) == (picture.width, picture.height), "a size is what was said")
            check(channels == 3, "a picture is BGR")


def _raw(data: bytes) -> None:
    kind, _, pixels = data.partition(b"\n")
    media_type = kind.decode("latin-1")
    with suppress(FrameError):
        picture = formats.inspect(pixels, media_type=media_type)
        if raw.is_raw(media_type):
            check(len(pixels) == raw.read_layout(media_type).size, "there are all the pixels")
            check(picture.data == pixels, "pixels are those that came")


def _stream(data: bytes) -> None:
    """Read parts; the first byte says in what pieces they come, and how they are announced."""
    how = data[0] if data else 0
    at = 1

    def receive(least: int) -> bytes:
        nonlocal at
        piece = data[at : at + max(1, min(least, 1 + how % 7))]
        at += len(piece)
        return piece

    boundary = "frame" if how & 8 else None
    stream = Multipart(ByteStream(receive), boundary=boundary, max_part=4096, guess=bool(how & 16))
    taken = 0
    with suppress(FrameError, EOFError):
        while True:
            stream.head()
            body = stream.body()
            taken += len(body)
            check(len(body) <= 4096 + 512, "no part is larger than the limit")
            check(body in data, "a part's bytes are those that came")
    check(taken <= len(data), "no more comes out than went in")


def _envelope(data: bytes) -> None:
    values = data.decode("latin-1").split("\n")
    headers = {name.lower(): value for name, value in zip(_HEADERS, values, strict=False)}

    class Given:
        def get(self, key: str, /) -> str | None:
            return headers.get(key.lower())

    with suppress(FrameError):
        envelope = wire.from_headers(Given())
        check(envelope.seq is None or envelope.seq >= 0, "a number counts")
        check(envelope.epoch is None or envelope.epoch.isprintable(), "an epoch can be printed")
        wire.check_digest(envelope, data)


def _words(data: bytes) -> None:
    for text in data.decode("latin-1").split("\n"):
        with suppress(FrameError):
            wait = read_wait(text)
            check(wait is None or wait >= 0, "nobody waits for less than nothing")
        with suppress(FrameError):
            read_every(text)
        check(0 <= read_retry_after(text) < float("inf"), "a pause ends")
        control = Control.parse(text)
        check(control is None or control.fps is None or control.fps > 0, "a rate is one")
        parent = TraceParent.parse(text)
        check(parent is None or len(str(parent.child())) == 55, "a trace has its form")
        read_token(text)
        is_basic(text)


def _wish(data: bytes) -> None:
    with suppress(FrameError):
        wish = read_wish(data)
        nothing = wish == Control()
        check(nothing or Control.parse(str(wish)) == wish, "a wish is read as it is written")


def _inference(data: bytes) -> None:
    length, _, body = data.partition(b"\n")
    with suppress(FrameError):
        request = inference_request.read(body, length.decode("latin-1") or None)
        check(all(side >= 0 for side in request.input.shape), "a shape has sides")


def _redis(data: bytes) -> None:
    value, _, envelope = data.partition(b"\n{")
    with suppress(FrameError):
        found = read_value(value, b"{" + envelope if envelope else b"", max_bytes=_LIMIT)
        check(len(found.picture) <= _LIMIT, "a value has a limit")


def _zmq(data: bytes) -> None:
    with suppress(FrameError):
        found = read_head(data)
        check_camera(found.camera)
        if found.media_type:
            layout = raw.read_layout(found.media_type)
            check(0 < layout.size <= 3 * 10**10, "an array has a size that can be counted")


def _png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    pixels = zlib.compress(b"\0" + bytes(3))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"zTXt", b"a\0\0"), chunk(b"IDAT", pixels))
    return b"\x89PNG\r\n\x1a\n" + b"".join((*parts, chunk(b"IEND", b"")))


_SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
#: A JPEG in a few bytes; no decoder would like its tables.
_JPEG = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\1\1\x11\0" + _SCAN + b"ab\xff\0c\xff\xd0d\xff\xd9"
_PROGRESSIVE = (
    _JPEG.replace(b"\xff\xc0", b"\xff\xc2")[:-2] + b"\xff\xc4\0\4ab" + _SCAN + b"\xff\xd9"
)
_WEBP = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0"
_PART = b"--frame\r\nContent-Length: %d\r\nX-Frame-Seq: 1\r\n\r\n" % len(_JPEG) + _JPEG + b"\r\n"
_BARE = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + _JPEG + b"\r\n"
_INFERENCE = json.dumps(
    {
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 3], "data": [1, 2, 3]}],
        "parameters": {"camera": "door", "binary_data_output": True},
        "outputs": [{"name": "result"}],
    }
).encode()

TARGETS = {
    "picture": Target(_picture, (_JPEG, _PROGRESSIVE, _png(), _WEBP)),
    "decoded": Target(_decoded, (_JPEG, _PROGRESSIVE)),
    "raw": Target(
        _raw,
        (
            b"application/x-raw-bgr; width=2; height=1\nabcdef",
            b"application/x-raw-i420; width=2; height=2\nabcdef",
        ),
    ),
    "stream": Target(
        _stream,
        tuple(bytes([how]) + _PART + _BARE + _PART + b"--frame--\r\n" for how in (0, 9, 22, 31)),
    ),
    "envelope": Target(
        _envelope,
        (
            b"e\n7\n1700000000.123456\n1700000000.2\nsha-256=:MTIz:\n"
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"
            b"sent=1.1; received=1.2; replied=1.3; seen=1.4\n1",
        ),
    ),
    "words": Target(
        _words,
        (
            b'wait=5\nrespond-async, wait="7"; x=y\nevery\n120\nSat, 21 Nov 2026 22:00:00 GMT',
            b"fps=5; size=640x360; quality=70\nBearer abc\nBasic YTpi\n"
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ),
    "wish": Target(_wish, (b'{"fps": 5, "size": "640x360", "quality": 70}', b'{"fps": null}')),
    "inference": Target(
        _inference, (b"\n" + _INFERENCE, b"%d\n" % len(_INFERENCE) + _INFERENCE + b"abc", b"0\nabc")
    ),
    "zmq": Target(
        _zmq,
        (
            b'{"msg": "front door", "framepost": {"seq": 7, "epoch": "e", "captured_at": 1.5}}',
            b'{"msg": "rpi-1", "dtype": "uint8", "shape": [480, 640, 3]}',
        ),
    ),
    "redis": Target(_redis, (_JPEG + b'\n{"seq": 7, "bytes": 44}', b"/9j/2Q==\n{}")),
}
