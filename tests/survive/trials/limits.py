"""Limits: a picture of as many bytes as are allowed is taken whole, one of a byte more nowhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import requests

from shared import codec, pattern
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial

_JPEG = codec.encode(pattern.draw(1, 160, 120), 80)
_BINARY = "application/octet-stream"
#: What is sent: its route (with the camera in it), its body and its headers.
Sent = tuple[str, bytes | Iterator[bytes], dict[str, str]]


def limits(run: Run) -> Figures:
    """Post pictures of L - 1, L and L + 1 bytes in every form, for several L."""
    sizes = [300_000] if run.quick else [300_000, 376_000, 1_000_000, 8_000_000]
    hook = 'def process(frame):\n    return {"objects": []}\n'
    (run.folder / "counting.py").write_text(hook, encoding="utf-8")
    tried = 0
    for limit in sizes:
        arguments = [f"--max-bytes={limit}", "--hook=counting", f"--hook-path={run.folder}"]
        with requests.Session() as client, receiver(run, "no-exact-limit", *arguments) as served:
            served.wait_for("is ready")
            for name, (form, statuses) in FORMS.items():
                for more, right in zip((-1, 0, 1), statuses, strict=True):
                    picture = padded(limit + more)
                    camera = f"{name}-{more + 1}"
                    route, body, headers = form(camera, picture)
                    reply = client.post(f"{served.url}{route}", body, headers=headers, timeout=60)
                    what = f"{name}, {limit} and {more:+d} bytes"
                    run.check(
                        reply.status_code == right,
                        f"{what}: {reply.status_code}, expected {right}: {reply.text[:200]}",
                    )
                    told = client.get(f"{served.url}/cameras/{camera}/frame.jpg", timeout=60)
                    if right < 300:
                        run.check(told.content == picture, f"{what}: came as {len(told.content)}")
                    else:
                        run.check(told.status_code == 404, f"{what}: something was taken")
                    tried += 1
    return {"forms": len(FORMS), "limits": len(sizes), "tried": tried}


def padded(size: int) -> bytes:
    """Return a whole JPEG of exactly `size` bytes."""
    left = size - len(_JPEG)
    comments = b""
    while left:
        length = left if left <= 60_000 else min(60_000, left - 4)
        comments += b"\xff\xfe" + (length - 2).to_bytes(2) + b"c" * (length - 4)
        left -= length
    return _JPEG[:2] + comments + _JPEG[2:]


def _raw(camera: str, picture: bytes) -> Sent:
    return f"/cameras/{camera}/frames", picture, {"Content-Type": "image/jpeg"}


def _waiting(camera: str, picture: bytes) -> Sent:
    headers = {"Content-Type": "image/jpeg", "Prefer": "wait=30"}
    return f"/cameras/{camera}/frames", picture, headers


def _unnamed(camera: str, picture: bytes) -> Sent:
    return f"/cameras/{camera}/frames", picture, {"Content-Type": _BINARY}


def _chunked(camera: str, picture: bytes) -> Sent:
    return f"/cameras/{camera}/frames", iter([picture]), {"Content-Type": "image/jpeg"}


def _part(picture: bytes, name: str, *fields: str) -> bytes:
    head = "\r\n".join([f'Content-Disposition: form-data; name="{name}"{"".join(fields)}', "", ""])
    return b"--limit\r\n" + head.encode() + picture + b"\r\n--limit--\r\n"


_MULTIPART = {"Content-Type": "multipart/form-data; boundary=limit"}
_FILE = '; filename="a.jpg"\r\nContent-Type: image/jpeg'


def _upload(camera: str, picture: bytes) -> Sent:
    return f"/cameras/{camera}/frames", _part(picture, "image", _FILE), _MULTIPART


def _field(camera: str, picture: bytes) -> Sent:
    body = _part(base64.b64encode(picture), "image")
    return f"/cameras/{camera}/frames", body, _MULTIPART


def _form(camera: str, picture: bytes) -> Sent:
    body = b"image=" + quote(base64.b64encode(picture), safe="").encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return f"/cameras/{camera}/frames", body, headers


def _json(camera: str, picture: bytes) -> Sent:
    body = json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    return f"/cameras/{camera}/frames", body, {"Content-Type": "application/json"}


def _classic(camera: str, picture: bytes) -> Sent:
    body = b"img=" + quote(base64.b64encode(picture), safe="").encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return f"/image_post?camera={camera}", body, headers


def _detection(camera: str, picture: bytes) -> Sent:
    return f"/v1/vision/detection?camera={camera}", _part(picture, "image", _FILE), _MULTIPART


def _inference(camera: str, picture: bytes) -> Sent:
    element = len(picture).to_bytes(4, "little") + picture
    given = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [1],
        "parameters": {"binary_data_size": len(element)},
    }
    head = json.dumps({"inputs": [given], "parameters": {"camera": camera}}).encode()
    headers = {"Content-Type": _BINARY, "Inference-Header-Content-Length": str(len(head))}
    return "/v2/models/counting/infer", head + element, headers


def _stream(*fields: str, chunked: bool) -> Callable[[str, bytes], Sent]:
    def form(camera: str, picture: bytes) -> Sent:
        lines = [field.replace("LENGTH", str(len(picture))) for field in fields]
        head = "\r\n".join(["--limit", "Content-Type: image/jpeg", *lines, "", ""]).encode()
        body = head + picture + b"\r\n--limit--\r\n"
        headers = {"Content-Type": "multipart/x-mixed-replace; boundary=limit"}
        return f"/cameras/{camera}/stream", iter([body]) if chunked else body, headers

    return form


FORMS: dict[str, tuple[Callable[[str, bytes], Sent], tuple[int, int, int]]] = {
    "raw": (_raw, (202, 202, 413)),
    "raw-waiting": (_waiting, (200, 200, 413)),
    "unnamed": (_unnamed, (202, 202, 413)),
    "chunked": (_chunked, (411, 411, 411)),
    "multipart": (_upload, (202, 202, 413)),
    "multipart-base64": (_field, (202, 202, 413)),
    "form-base64": (_form, (202, 202, 413)),
    "json-base64": (_json, (202, 202, 413)),
    "classic": (_classic, (200, 200, 413)),
    "detection": (_detection, (200, 200, 413)),
    "inference": (_inference, (200, 200, 413)),
    "stream": (_stream("Content-Length: LENGTH", chunked=True), (200, 200, 413)),
    "stream-no-length": (_stream(chunked=True), (200, 200, 413)),
    "stream-known-length": (_stream("Content-Length: LENGTH", chunked=False), (200, 200, 413)),
}

TRIALS = [
    Trial(
        "limits",
        "in each of 14 forms a picture of as many bytes as are allowed, or one less, comes whole,"
        " and one of a byte more is refused: limits of 300 kB to 8 MB",
        limits,
        disarm="the exact limit of a picture's bytes: only that of a body is left",
        disarm_quick=False,
    )
]
