"""pictures/, truncated/ and length/: bodies that are pictures, are not, or are not whole."""

from __future__ import annotations

from tests.vectors import pictures
from tests.vectors.cases.frames import JPEG, SEEN
from tests.vectors.pictures import EOI, SOI, at_marker, claiming, encoded, segment
from tests.vectors.vector import Exchange, Vector, frame, one, refused, took

PNG = encoded(7, ".png")
WEBP = encoded(7, ".webp", 64, 101)  # IMWRITE_WEBP_QUALITY above 100: lossless


def formats() -> list[Vector]:
    def seen(name: str, about: str, body: bytes, content_type: str | None) -> Vector:
        facts = (f"X-Frame-Epoch: {name}", "X-Frame-Seq: 0", "Prefer: wait=20")
        request = frame("echo", body, *facts, content_type=content_type)
        return one(name, about, request, took("processed", result=SEEN))

    def not_taken(name: str, about: str, body: bytes, status: int) -> Vector:
        return one(name, about, frame("not-taken", body), refused(status))

    quant = at_marker(JPEG, 0xDB)
    return [
        seen("jpeg", "the usual", JPEG, "image/jpeg"),
        seen("jpeg-grey", "one component", pictures.grey_jpeg(7), "image/jpeg"),
        seen("jpeg-progressive", "many scans", pictures.progressive_jpeg(7), "image/jpeg"),
        seen(
            "jpeg-padded", "NULs and line ends behind the picture", JPEG + b"\0\0\r\n", "image/jpeg"
        ),
        seen(
            "jpeg-comment",
            "a comment that holds an end marker, and fill bytes before a segment",
            JPEG[:quant] + segment(0xFE, b"here " + EOI) + b"\xff\xff" + JPEG[quant:],
            "image/jpeg",
        ),
        seen("png", "PNG", PNG, "image/png"),
        seen("webp", "WebP", WEBP, "image/webp"),
        seen("type-of-another", "magic bytes decide, not the type", JPEG, "image/png"),
        seen("type-octet-stream", "no matter which type", JPEG, "application/octet-stream"),
        seen("type-missing", "or none", JPEG, None),
        seen(
            "type-form",
            "what curl --data-binary says of any body",
            JPEG,
            "application/x-www-form-urlencoded",
        ),
        not_taken("empty", "no bytes at all", b"", 422),
        not_taken("text", "a poem", b"Shall I compare thee to a summer's day?", 415),
        not_taken("gif", "a format that is not taken", b"GIF89a" + bytes(40), 415),
        not_taken("bmp", "another", b"BM" + bytes(60), 415),
        not_taken("tiff", "and another", b"II*\0" + bytes(60), 415),
        not_taken("wave", "RIFF, but no WebP", b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), 415),
        not_taken(
            "jpeg-lossless", "a kind of JPEG that is not taken", claiming(8, 8, frame=0xC3), 415
        ),
        not_taken("jpeg-arithmetic", "nor this", claiming(8, 8, frame=0xC9), 415),
        not_taken("jpeg-12-bit", "nor one of 12 bits", claiming(8, 8, depth=12), 415),
        not_taken("jpeg-cmyk", "nor one of four components", claiming(8, 8, parts=4), 415),
        not_taken(
            "jpeg-no-picture", "start and end, and nothing between", SOI + b"\xff" + EOI, 422
        ),
        not_taken("jpeg-two", "a second picture behind the first", JPEG + JPEG, 422),
        not_taken("jpeg-garbage-behind", "bytes behind the end", JPEG + b"and more", 422),
        not_taken(
            "jpeg-huge", "a little body that claims 16000 x 16000", claiming(16000, 16000), 422
        ),
        not_taken("jpeg-widest", "and 65535 x 1", claiming(65535, 1), 422),
        not_taken("jpeg-no-width", "0 pixels wide", claiming(0, 8), 422),
        not_taken("jpeg-no-height", "0 pixels high", claiming(8, 0), 422),
        not_taken("jpeg-scans", "hundreds of scans", pictures.of_scans(300), 422),
        not_taken("png-huge", "a PNG that claims 65535 x 65535", huge_png(), 422),
    ]


def truncated() -> list[Vector]:
    scan = at_marker(JPEG, 0xDA)
    places = {
        "magic": (3, "behind the first three bytes"),
        "marker": (at_marker(JPEG, 0xDB) + 1, "in the middle of a marker"),
        "segment-length": (at_marker(JPEG, 0xDB) + 3, "in the middle of a segment's length"),
        "table": (at_marker(JPEG, 0xDB) + 20, "in a quantisation table"),
        "frame-header": (at_marker(JPEG, 0xC0) + 6, "in the frame header"),
        "before-scan": (scan, "before the scan"),
        "scan-header": (scan + 4, "in the scan's header"),
        "scan": ((scan + len(JPEG)) // 2, "in the middle of the scan"),
        "end": (len(JPEG) - 2, "before the end marker"),
        "end-marker": (len(JPEG) - 1, "in the middle of the end marker"),
    }
    others = {
        "png": PNG[: len(PNG) // 2],
        "png-last-chunk": PNG[:-12],
        "png-header": PNG[:20],
        "webp": WEBP[: len(WEBP) // 2],
    }
    return [
        *(
            one(
                f"jpeg-{name}",
                f"a JPEG that ends {where}",
                frame("truncated", JPEG[:at]),
                refused(422),
            )
            for name, (at, where) in places.items()
        ),
        *(
            one(name, "a picture that is cut off", frame("truncated", body), refused(422))
            for name, body in others.items()
        ),
        Vector(
            "then-whole",
            "a refusal costs the connection nothing: the next frame goes through it",
            (
                Exchange(frame("whole", JPEG[:200]), refused(422)),
                Exchange(frame("whole", JPEG), took("accepted")),
            ),
        ),
    ]


def lengths() -> list[Vector]:
    announced = 1 << 30
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(JPEG), JPEG)
    return [
        one(
            "short",
            "fewer bytes than announced, and then the client ends",
            frame("short", JPEG, length=str(len(JPEG) + 10)),
            refused(400, "body"),
            fin=True,
        ),
        one(
            "long",
            "more bytes than announced: the picture is cut off",
            frame("long", JPEG, length=str(len(JPEG) - 10)),
            refused(422),
        ),
        one(
            "missing",
            "no length",
            frame("missing", b"", length=None),
            refused(411, "Content-Length"),
        ),
        one(
            "chunked",
            "chunks, whose length nobody knows",
            frame("chunked", chunked, "Transfer-Encoding: chunked", length=None),
            refused(411, "Content-Length"),
        ),
        one(
            "too-large",
            "a gigabyte, refused before it is sent",
            frame("large", b"", length=str(announced)),
            refused(413, str(announced)),
        ),
        *(
            one(
                name,
                f"a Content-Length that is none: {value!r}",
                frame("no-length", JPEG, length=value),
                {"status": 400},
            )
            for name, value in [("word", "many"), ("negative", "-5"), ("plus", "+5")]
        ),
        one(
            "two",
            "two lengths that differ",
            frame("two-lengths", JPEG, "Content-Length: 5"),
            {"status": 400},
        ),
    ]


def huge_png() -> bytes:
    sides = (65535).to_bytes(4, "big") * 2
    return PNG[:16] + sides + PNG[24:]
