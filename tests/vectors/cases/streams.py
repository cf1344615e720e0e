"""stream/: many frames in one request."""

from __future__ import annotations

from typing import Any

from tests.vectors import pictures
from tests.vectors.cases.envelope import sha256
from tests.vectors.cases.frames import JPEG, SEEN
from tests.vectors.cases.pixels import SIDES
from tests.vectors.vector import CRLF, Expected, Vector, one, post, refused

BOUNDARY = "frame"
MIXED = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()
LINES = "Accept: application/x-ndjson"


def part(
    body: bytes,
    *headers: str,
    content_type: str | None = "image/jpeg",
    length: str | None = "",
    boundary: str = BOUNDARY,
) -> bytes:
    lines = [f"--{boundary}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if length is not None:
        lines.append(f"Content-Length: {length or len(body)}")
    head = "\r\n".join([*lines, *headers, "", ""]).encode()
    return head + body + CRLF


def numbered(seq: int, body: bytes = JPEG, *headers: str, epoch: str = "e", **more: Any) -> bytes:
    return part(body, f"X-Frame-Epoch: {epoch}", f"X-Frame-Seq: {seq}", *headers, **more)


def sent(
    camera: str,
    *parts: bytes,
    headers: tuple[str, ...] = (),
    content_type: str | None = MIXED,
    end: bytes = END,
    chunk: int = 1000,
) -> bytes:
    """Return the request, in chunks of that many bytes; with 0 it says its length instead."""
    name, _, query = camera.partition("?")
    target = f"/cameras/{name}/stream" + (f"?{query}" if query else "")
    body = b"".join(parts) + end
    if not chunk:
        return post(target, body, *headers, content_type=content_type)
    pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return post(
        target,
        chunks,
        *headers,
        "Transfer-Encoding: chunked",
        content_type=content_type,
        length=None,
    )


def summary(camera: str, **counts: int) -> Expected:
    usual = {"accepted": 0, "superseded": 0, "duplicate": 0, "refused": 0}
    return {
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "json": {"camera": camera, "received": sum(counts.values()), **usual, **counts},
    }


def lines(*each: Expected) -> Expected:
    return {
        "status": 200,
        "headers": {"Content-Type": {"matches": "^application/x-ndjson"}},
        "lines": [
            {**line, "received_at": {"is": "number"}, "replied_at": {"is": "number"}}
            for line in each
        ],
    }


def line(state: str, status: int, **facts: Any) -> Expected:
    return {"state": state, "status": status, **facts}


def no(status: int, about: str = "") -> Expected:
    return line("refused", status, detail={"matches": about})


def streams() -> list[Vector]:
    return [*forms(), *answers(), *refusals()]


def forms() -> list[Vector]:
    three = [numbered(seq) for seq in range(3)]
    dashed = f'multipart/x-mixed-replace; boundary="--{BOUNDARY}"'

    def takes(name: str, about: str, *parts: bytes, count: int = 3, **more: Any) -> Vector:
        camera = f"stream-{name}"
        return one(name, about, sent(camera, *parts, **more), summary(camera, accepted=count))

    return [
        takes("chunked", "three frames, in chunks that end anywhere", *three, chunk=997),
        takes("one-chunk", "the whole body in one chunk", *three, chunk=1 << 20),
        takes("tiny-chunks", "chunks of seven bytes", *three, chunk=7),
        takes("length", "a body that says its length", *three, chunk=0),
        takes("no-end", "no last boundary", *three, end=b""),
        takes(
            "nameless",
            "no Content-Type, as FFmpeg sends it: the first line is the boundary",
            *(part(JPEG, boundary="ffmpeg") for _ in range(3)),
            content_type=None,
            end=b"",
        ),
        takes(
            "quoted", "a boundary in quotes", *three, content_type=MIXED.replace("frame", '"frame"')
        ),
        takes("dashes", "a boundary that is named with its dashes", *three, content_type=dashed),
        takes(
            "mixed",
            "as multipart/mixed",
            *three,
            content_type=MIXED.replace("x-mixed-replace", "mixed"),
        ),
        takes(
            "no-lengths",
            "parts that end where the next boundary begins",
            *(numbered(seq, length=None) for seq in range(3)),
        ),
        takes("preamble", "an empty line before the first boundary", CRLF + three[0], *three[1:]),
        takes("bare", "parts without an envelope", *[part(JPEG)] * 3),
        takes(
            "kinds",
            "a PNG and raw pixels among them",
            three[0],
            numbered(1, pictures.encoded(7, ".png"), content_type="image/png"),
            numbered(
                2,
                pictures.pixels(7, "gray"),
                content_type=f"application/x-raw-gray; {SIDES}",
            ),
        ),
        takes(
            "digest",
            "a part with its digest",
            numbered(0, JPEG, f"Content-Digest: {sha256(JPEG)}"),
            count=1,
        ),
        one(
            "counts",
            "what became of each is counted",
            sent(
                "stream-counts", *(numbered(seq) for seq in (4, 5, 3, 4)), numbered(6, JPEG[:200])
            ),
            summary("stream-counts", accepted=2, superseded=1, duplicate=1, refused=1),
        ),
    ]


def answers() -> list[Vector]:
    def told(name: str, about: str, expect: Expected, *parts: bytes, **more: Any) -> Vector:
        headers = (LINES, *more.pop("headers", ()))
        camera = more.pop("camera", f"lines-{name}")
        return one(f"lines-{name}", about, sent(camera, *parts, headers=headers, **more), expect)

    return [
        told(
            "accepted",
            "a line for each part, which says which frame it was",
            lines(
                *(
                    line("accepted", 202, camera="lines-accepted", epoch="e", seq=seq)
                    for seq in range(3)
                )
            ),
            *(numbered(seq) for seq in range(3)),
        ),
        told(
            "wait",
            "with a wait each line has its part's result",
            lines(*(line("processed", 200, seq=seq, result=SEEN) for seq in range(3))),
            *(numbered(seq, epoch="lines") for seq in range(3)),
            camera="echo",
            headers=("Prefer: wait=20",),
        ),
        told(
            "failed",
            "a hook that raises",
            lines(line("failed", 500, error={"matches": "told to fail"})),
            numbered(0, epoch="lines"),
            camera="fail",
            headers=("Prefer: wait=20",),
        ),
        told(
            "every",
            "frames that are to be processed whatever comes",
            lines(*(line("processed", 200, seq=seq, result=SEEN) for seq in range(2))),
            *(numbered(seq, epoch="lines-every") for seq in range(2)),
            camera="echo?mode=every",
            headers=("Prefer: wait=20",),
        ),
        told(
            "states",
            "a duplicate, and one that came too late",
            lines(
                *(line("accepted", 202, seq=seq) for seq in (4, 5)),
                line("superseded", 200, seq=3),
                line("duplicate", 200, seq=4),
            ),
            *(numbered(seq) for seq in (4, 5, 3, 4)),
        ),
        told(
            "refused",
            "a part that is refused ends nothing",
            lines(
                line("accepted", 202, seq=0),
                no(422),
                no(415),
                no(400, "X-Frame-Seq"),
                no(422, "Content-Digest"),
                no(400, "Content-Type"),
                line("accepted", 202, seq=1),
            ),
            numbered(0),
            numbered(9, JPEG[:200]),
            numbered(9, b"a poem"),
            part(JPEG, "X-Frame-Epoch: e", "X-Frame-Seq: one"),
            numbered(9, JPEG, f"Content-Digest: {sha256(b'')}"),
            numbered(9, JPEG, content_type="application/x-raw-bgr"),
            numbered(1),
        ),
        told(
            "half",
            "half a part at the end",
            lines(line("accepted", 202, seq=0), no(422)),
            numbered(0),
            numbered(1)[:-200],
            end=b"",
        ),
        told(
            "too-large",
            "a part that announces too much ends the stream, for its rest cannot be skipped",
            lines(line("accepted", 202, seq=0), no(413)),
            numbered(0),
            part(b"x" * 100, length=str(1 << 30)),
            end=b"",
        ),
        told(
            "every-without-hook",
            "no hook processes this camera, so the stream ends",
            lines(no(409, "nobody")),
            *(numbered(seq) for seq in range(3)),
            camera="nobody?mode=every",
        ),
    ]


def refusals() -> list[Vector]:
    return [
        one(
            "picture",
            "a single picture goes to another route",
            post("/cameras/stream-picture/stream", JPEG),
            refused(415, "Content-Type"),
        ),
        one(
            "all-refused",
            "no part was a frame: the answer says why",
            sent("stream-none", numbered(0, JPEG[:200]), numbered(1, b"a poem")),
            refused(415),
        ),
        one(
            "too-large",
            "a part that announces too much",
            sent("stream-large", part(b"x" * 100, length=str(1 << 30)), end=b""),
            refused(413),
        ),
        one(
            "every-without-hook",
            "no hook processes this camera",
            sent("nobody?mode=every", numbered(0)),
            refused(409, "nobody"),
        ),
        one(
            "mode-unknown",
            "a mode that there is not",
            sent("stream-mode?mode=all", numbered(0)),
            refused(400, "mode"),
        ),
        one(
            "wait-malformed",
            "a wait that is no number",
            sent("stream-wait", numbered(0), headers=(LINES, "Prefer: wait=long")),
            refused(400, "Prefer"),
        ),
        one(
            "camera-malformed",
            "a name that no camera can have",
            sent("-x", numbered(0)),
            refused(400, "camera"),
        ),
        one(
            "method-get",
            "streams are not fetched here",
            b"GET /cameras/a/stream HTTP/1.1\r\nHost: receiver.example\r\n\r\n",
            refused(405, Allow="OPTIONS, POST"),
        ),
    ]
