"""raw/: pixels without a codec."""

from __future__ import annotations

from tests.vectors import pictures
from tests.vectors.cases.envelope import sha256
from tests.vectors.cases.frames import SEEN
from tests.vectors.pictures import HEIGHT, WIDTH
from tests.vectors.vector import Vector, frame, one, refused, took

SIDES = f"width={WIDTH}; height={HEIGHT}"
BGR = pictures.pixels(7, "bgr")


def raws() -> list[Vector]:
    def sent(name: str, body: bytes, content_type: str, *headers: str) -> bytes:
        facts = (f"X-Frame-Epoch: raw-{name}", "X-Frame-Seq: 0", "Prefer: wait=20", *headers)
        return frame("echo", body, *facts, content_type=content_type)

    def raw(name: str) -> str:
        return f"application/x-raw-{name}"

    processed = took("processed", result=SEEN)
    malformed = {
        "no-sides": "",
        "no-height": f"; width={WIDTH}",
        "word": f"; width=wide; height={HEIGHT}",
        "negative": f"; width=-{WIDTH}; height={HEIGHT}",
        "fraction": f"; width={WIDTH}.0; height={HEIGHT}",
    }
    return [
        *(
            one(
                name,
                f"{name}, rows without padding",
                sent(name, pictures.pixels(7, name), f"{raw(name)}; {SIDES}"),
                processed,
            )
            for name in ("bgr", "rgb", "gray", "i420", "nv12")
        ),
        one(
            "parameters",
            "parameters in another order, quoted, without spaces, in capitals",
            sent("parameters", BGR, f'{raw("BGR")};HEIGHT="{HEIGHT}";x=1;Width={WIDTH}'),
            processed,
        ),
        one(
            "digest",
            "with the right digest",
            sent("digest", BGR, f"{raw('bgr')}; {SIDES}", f"Content-Digest: {sha256(BGR)}"),
            processed,
        ),
        one(
            "digest-wrong",
            "with a wrong one",
            sent("wrong", BGR, f"{raw('bgr')}; {SIDES}", f"Content-Digest: {sha256(b'')}"),
            refused(422, "Content-Digest"),
        ),
        one(
            "short",
            "a byte is missing",
            sent("short", BGR[:-1], f"{raw('bgr')}; {SIDES}"),
            refused(422),
        ),
        one(
            "long",
            "a byte too many",
            sent("long", BGR + b"x", f"{raw('bgr')}; {SIDES}"),
            refused(422),
        ),
        one("empty", "no bytes", sent("empty", b"", f"{raw('bgr')}; {SIDES}"), refused(422)),
        one(
            "other-layout",
            "the bytes of bgr, called nv12",
            sent("other", BGR, f"{raw('nv12')}; {SIDES}"),
            refused(422),
        ),
        *(
            one(
                name,
                f"sides that are none: {parameters!r}",
                sent(name, BGR, raw("bgr") + parameters),
                refused(400, "Content-Type"),
            )
            for name, parameters in malformed.items()
        ),
        *(
            one(
                f"odd-{layout}",
                "chroma planes of half a pixel",
                sent(
                    f"odd-{layout}", bytes(63 * 48 * 3 // 2), f"{raw(layout)}; width=63; height=48"
                ),
                refused(400, "Content-Type"),
            )
            for layout in ("i420", "nv12")
        ),
        one(
            "unknown",
            "a layout that is not taken",
            sent("unknown", BGR, f"{raw('yuyv')}; {SIDES}"),
            refused(415, "Content-Type"),
        ),
        one(
            "no-pixels",
            "0 pixels wide",
            sent("none", b"", f"{raw('bgr')}; width=0; height=8"),
            refused(422),
        ),
        one(
            "huge",
            "sides that no decoder is asked for; refused by the header alone",
            sent("huge", b"x" * 10, f"{raw('gray')}; width=99999; height=99999"),
            refused(422),
        ),
    ]
