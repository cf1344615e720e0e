"""headers/ and digest/: the facts that travel with a frame, malformed one by one."""

from __future__ import annotations

import base64
import hashlib

from tests.vectors import pictures
from tests.vectors.cases.frames import JPEG
from tests.vectors.vector import Vector, frame, one, post, refused, took

EXCHANGE = "sent=1700000000.1; received=1700000000.2; replied=1700000000.3; seen=1700000000.4"
#: What is malformed, by header.
MALFORMED: dict[str, dict[str, str]] = {
    "X-Frame-Epoch": {"empty": "", "space": "a b", "long": "e" * 65, "tab": "a\tb"},
    "X-Frame-Seq": {
        "empty": "",
        "word": "one",
        "negative": "-1",
        "plus": "+1",
        "fraction": "1.0",
        "hex": "0x1",
        "too-big": str(2**63),
        "long": "1" * 30,
        "two": "1, 2",
        "underscore": "1_000",
    },
    "X-Timestamp": {
        "empty": "",
        "word": "now",
        "negative": "-1.0",
        "exponent": "1e9",
        "comma": "1700000000,5",
        "nan": "nan",
        "infinite": "inf",
        "milliseconds": "1700000000123",
        "date": "2023-11-14T22:13:20Z",
    },
    "X-Sent-At": {"word": "now", "negative": "-1.0"},
    "X-Last-Exchange": {
        "empty": "",
        "word": "yesterday",
        "three": EXCHANGE.rpartition(";")[0],
        "unknown": EXCHANGE.replace("seen", "saw"),
        "twice": EXCHANGE.replace("seen", "sent"),
        "word-in-it": EXCHANGE.replace("1700000000.4", "later"),
    },
    "X-Frame-Redelivered": {"empty": "", "zero": "0", "word": "true", "two": "1, 1"},
    "Content-Digest": {
        "bare": "0" * 64,
        "no-colons": "sha-256=abc",
        "no-base64": "sha-256=:a*b=:",
        "short": "sha-256=:c2hvcnQ=:",
        "empty": "sha-256=::",
    },
}


def headers() -> list[Vector]:
    return [
        *(
            one(
                f"{header.lower()}-{name}",
                f"{header} is no such thing: {value!r}",
                frame(f"bad-{header.lower()}", JPEG, f"{header}: {value}"),
                refused(400, header),
            )
            for header, values in MALFORMED.items()
            for name, value in values.items()
        ),
        one(
            "x-frame-epoch-not-ascii",
            "X-Frame-Epoch with bytes above 7F",
            frame("bad-x-frame-epoch", JPEG, b"X-Frame-Epoch: \xc3\xbc"),
            refused(400, "X-Frame-Epoch"),
        ),
        one(
            "x-frame-epoch-longest",
            "64 printable characters",
            frame("epoch-longest", JPEG, f"X-Frame-Epoch: {'!~' * 32}", "X-Frame-Seq: 0"),
            took("accepted", epoch="!~" * 32),
        ),
        one(
            "x-frame-epoch-alone",
            "an epoch without a number: the receiver numbers within it",
            frame("epoch-alone", JPEG, "X-Frame-Epoch: mine"),
            took("accepted", epoch="mine", seq=0),
        ),
        one(
            "x-frame-seq-alone",
            "a number without an epoch",
            frame("seq-alone", JPEG, "X-Frame-Seq: 12"),
            took("accepted", epoch="", seq=12),
        ),
        one(
            "x-frame-seq-biggest",
            "2^63 - 1 is a number",
            frame("seq-biggest", JPEG, "X-Frame-Epoch: e", f"X-Frame-Seq: {2**63 - 1}"),
            took("accepted", seq=2**63 - 1),
        ),
        one(
            "x-timestamp-whole",
            "seconds without a fraction",
            frame("time-whole", JPEG, "X-Timestamp: 1700000000"),
            took("accepted"),
        ),
        one(
            "x-last-exchange",
            "the four times of the exchange before",
            frame("exchange", JPEG, f"X-Last-Exchange: {EXCHANGE}"),
            took("accepted"),
        ),
        one(
            "small-letters",
            "the case of a header's name says nothing",
            frame("small", JPEG, "x-frame-epoch: e", "x-frame-seq: 4"),
            took("accepted", epoch="e", seq=4),
        ),
        one(
            "unknown",
            "headers that nobody knows are ignored",
            frame("unknown-header", JPEG, "X-Frame-Colour: red"),
            took("accepted"),
        ),
    ]


def digests() -> list[Vector]:
    right = sha256(JPEG)
    other = sha256(pictures.jpeg(8))
    form, boundary = b"image=" + base64.b64encode(JPEG).replace(b"+", b"%2B"), "b0undary"
    multipart = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode() + JPEG
    multipart += f"\r\n--{boundary}--\r\n".encode()
    multipart_type = f"multipart/form-data; boundary={boundary}"
    form_type = "application/x-www-form-urlencoded"
    flipped = JPEG[:-40] + bytes([JPEG[-40] ^ 1]) + JPEG[-39:]

    def sent(name: str, body: bytes, digest: str, content_type: str = "image/jpeg") -> bytes:
        return frame(f"digest-{name}", body, f"Content-Digest: {digest}", content_type=content_type)

    return [
        one("right", "SHA-256 of the body", sent("right", JPEG, right), took("accepted")),
        one(
            "wrong",
            "another picture's: these bytes are not what was meant",
            sent("wrong", JPEG, other),
            refused(422, "Content-Digest"),
        ),
        one(
            "flipped-bit",
            "a picture that decodes, but with one bit changed on its way",
            sent("flipped", flipped, right),
            refused(422, "Content-Digest"),
        ),
        one(
            "unknown-algorithm",
            "an algorithm that is not known is ignored",
            sent("unknown", JPEG, "md5=:c2hvcnQ=:"),
            took("accepted"),
        ),
        one(
            "among-others",
            "ours among others, wrong",
            sent("among", JPEG, f"md5=:c2hvcnQ=:, {other}"),
            refused(422, "Content-Digest"),
        ),
        one(
            "multipart-body",
            "of a form's body",
            sent("multipart", multipart, sha256(multipart), multipart_type),
            took("accepted"),
        ),
        one(
            "multipart-picture",
            "of the picture in a form",
            sent("multipart-picture", multipart, right, multipart_type),
            took("accepted"),
        ),
        one(
            "multipart-wrong",
            "of neither",
            sent("multipart-wrong", multipart, other, multipart_type),
            refused(422, "Content-Digest"),
        ),
        one(
            "form-body",
            "of a form with base64",
            sent("form", form, sha256(form), form_type),
            took("accepted"),
        ),
        one(
            "classic",
            "on the classic route too",
            post("/image_post", form, f"Content-Digest: {other}", content_type=form_type),
            refused(422, "Content-Digest"),
        ),
    ]


def sha256(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
