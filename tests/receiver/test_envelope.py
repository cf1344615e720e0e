"""What a client says of its frame in headers, at the door."""

from __future__ import annotations

import base64
import hashlib

from flask.testing import FlaskClient

from shared import codec, pattern, wire

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
ROUTE = "/cameras/cam1/frames"


def test_the_epoch_of_a_client_that_does_not_number_is_kept(client: FlaskClient) -> None:
    answer = client.post(ROUTE, data=JPEG, headers={wire.EPOCH: "mine"})

    assert answer.json == {"camera": "cam1", "epoch": "mine", "seq": 0, "state": "accepted"}


def test_the_digest_of_a_form_is_its_bodys_or_its_pictures(client: FlaskClient) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
        + JPEG
        + b"\r\n--b--\r\n"
    )

    def post(digested: bytes) -> int:
        digest = base64.b64encode(hashlib.sha256(digested).digest()).decode()
        return client.post(
            ROUTE,
            data=body,
            content_type="multipart/form-data; boundary=b",
            headers={wire.DIGEST: f"sha-256=:{digest}:"},
        ).status_code

    assert [post(body), post(JPEG), post(b"another")] == [202, 202, 422]
