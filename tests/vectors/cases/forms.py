"""base64/, multipart/ and classic/: pictures within other bodies, and the classic route."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote_plus

from tests.vectors.cases.frames import JPEG, SEEN
from tests.vectors.vector import Expected, Vector, frame, one, post, refused, took

FORM = "application/x-www-form-urlencoded"
TEXT = base64.b64encode(JPEG).decode()
#: With both of the characters that a form changes.
assert "+" in TEXT
assert "/" in TEXT

#: Bodies with base64 in them that are no frame: what they are, and which status each gets.
BROKEN = {
    "plus": ("a '+' that was not escaped, and so is a space", FORM, f"img={TEXT}", 400),
    "character": ("a character that is not base64's", FORM, "img=" + quote_plus("*" + TEXT), 400),
    "padding": ("without its last '='", FORM, "img=" + quote_plus(TEXT.rstrip("=") + "A"), 400),
    "empty": ("an empty field", FORM, "img=", 422),
    "truncated": ("a JPEG that is cut off", FORM, "img=" + quote_plus(TEXT[:400]), 422),
    "text": ("no picture", FORM, "img=" + quote_plus(base64.b64encode(b"a poem").decode()), 415),
    "no-field": ("no field of a known name", FORM, "picture=" + quote_plus(TEXT), 400),
    "no-json": ("no JSON", "application/json", '{"image": ', 400),
    "json-list": ("JSON, but no object", "application/json", json.dumps([TEXT]), 400),
    "json-number": ("no text in the field", "application/json", '{"image": 5}', 400),
    "json-no-field": ("no field of a known name", "application/json", json.dumps({"x": TEXT}), 400),
    "json-deep": ("brackets", "application/json", "[" * 20_000, 400),
}
#: Bodies with base64 in them that are one.
SOUND = {
    **{
        f"form-{name}": (f"in the form field {name}", FORM, f"{name}=" + quote_plus(TEXT))
        for name in ("image", "frame", "file", "img")
    },
    "form-among-others": (
        "among other fields",
        FORM,
        "camera=x&img=" + quote_plus(TEXT) + "&time=now",
    ),
    "data-uri": ("a data URI", FORM, "img=" + quote_plus(f"data:image/jpeg;base64,{TEXT}")),
    "lines": (
        "in lines of 76 characters, as in mail",
        FORM,
        "img=" + quote_plus(base64.encodebytes(JPEG).decode().replace("\n", "\r\n")),
    ),
    "json": ("in JSON", "application/json", json.dumps({"image": TEXT})),
    "json-data-uri": (
        "a data URI in JSON",
        "application/json; charset=utf-8",
        json.dumps({"frame": f"data:image/jpeg;base64,{TEXT}", "more": [1]}),
    ),
}


def base64s() -> list[Vector]:
    sound = [
        one(
            name,
            about,
            frame(
                "echo",
                body.encode(),
                *(f"X-Frame-Epoch: base64-{name}", "X-Frame-Seq: 0", "Prefer: wait=20"),
                content_type=content_type,
            ),
            took("processed", result=SEEN),
        )
        for name, (about, content_type, body) in SOUND.items()
    ]
    broken = [
        one(
            name,
            about,
            frame("broken", body.encode(), content_type=content_type),
            refused(status),
        )
        for name, (about, content_type, body, status) in BROKEN.items()
    ]
    return sound + broken


def multiparts() -> list[Vector]:
    def sent(name: str, *parts: bytes, close: bytes = b"--b--\r\n", boundary: str = "b") -> bytes:
        body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + close
        return frame(
            "echo",
            body,
            *(f"X-Frame-Epoch: multipart-{name}", "X-Frame-Seq: 0", "Prefer: wait=20"),
            content_type=f"multipart/form-data; boundary={boundary}",
        )

    def file(name: str, content: bytes = JPEG) -> bytes:
        head = f'Content-Disposition: form-data; name="{name}"; filename="photo.jpg"\r\n'
        return head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + content

    text = b'Content-Disposition: form-data; name="img"\r\n\r\n' + TEXT.encode()
    note = b'Content-Disposition: form-data; name="note"\r\n\r\nhello'
    processed = took("processed", result=SEEN)
    return [
        *(
            one(
                f"file-{name}",
                f"a file in the field {name}",
                sent(f"file-{name}", file(name)),
                processed,
            )
            for name in ("image", "frame", "file", "img")
        ),
        one(
            "among-others",
            "among other fields",
            sent("among", note, file("image"), note),
            processed,
        ),
        one("base64", "base64 in a field", sent("base64", text), processed),
        one(
            "quoted-boundary",
            "a boundary in quotes",
            sent("quoted", file("image"), boundary='"b"'),
            processed,
        ),
        one(
            "no-field", "no field of a known name", sent("none", note, file("photo")), refused(400)
        ),
        one(
            "cut-off",
            "a picture that is cut off in a whole form",
            sent("cut", file("image", JPEG[:300])),
            refused(422),
        ),
        one("many-parts", "hundreds of parts", sent("many", *[note] * 300), refused(413)),
    ]


def classics() -> list[Vector]:
    def success(camera: str) -> Expected:
        return {
            "status": 200,
            "headers": {"Content-Type": {"matches": "^text/plain"}},
            "text": {"matches": f"success.*{camera}"},
        }

    sound = [
        one(
            name,
            about,
            post(f"/image_post?camera=classic-{name}", body.encode(), content_type=content_type),
            success(f"classic-{name}"),
        )
        for name, (about, content_type, body) in SOUND.items()
    ]
    broken = [
        one(
            name,
            about,
            post("/image_post", body.encode(), content_type=content_type),
            refused(status),
        )
        for name, (about, content_type, body, status) in BROKEN.items()
    ]
    form = ("img=" + quote_plus(TEXT)).encode()
    return [
        *sound,
        *broken,
        one(
            "default",
            "no camera is named: it is default",
            post("/image_post", form, content_type=FORM),
            success("default"),
        ),
        one(
            "raw",
            "a JPEG as it is",
            post("/image_post?camera=classic-raw", JPEG),
            success("classic-raw"),
        ),
        one(
            "bad-camera",
            "a name that no camera can have",
            post("/image_post?camera=a/b", form, content_type=FORM),
            refused(400, "camera"),
        ),
        one(
            "bad-header",
            "the envelope's headers hold here too",
            post("/image_post", form, "X-Frame-Seq: one", content_type=FORM),
            refused(400, "X-Frame-Seq"),
        ),
        one(
            "no-length",
            "no length",
            post("/image_post", b"", content_type=FORM, length=None),
            refused(411, "Content-Length"),
        ),
        one(
            "method-get",
            "frames are not fetched here",
            b"GET /image_post HTTP/1.1\r\nHost: receiver.example\r\n\r\n",
            refused(405, Allow="OPTIONS, POST"),
        ),
    ]
