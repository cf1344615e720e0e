"""Inference requests as bytes."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared import codec, pattern

BGR = pattern.draw(5, 160, 120)
PIXELS = BGR.tobytes()
JPEG = codec.encode(BGR, 80)
ROUTE = "/v2/models/motion/infer"
LENGTH = "Inference-Header-Content-Length"


def element(data: bytes) -> bytes:
    """Return an element of BYTES in its binary form."""
    return len(data).to_bytes(4, "little") + data


def pixels(**changes: Any) -> dict[str, Any]:
    """Return an input of pixels that follow the JSON; None removes what is there."""
    given = {
        "name": "image",
        "datatype": "UINT8",
        "shape": [120, 160, 3],
        "parameters": {"binary_data_size": len(PIXELS)},
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def ask(
    client: FlaskClient,
    content: Any,
    binary: bytes | None = None,
    *,
    route: str = ROUTE,
    **headers: str,
) -> TestResponse:
    """Post `content` as JSON, and behind it `binary`."""
    head = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if binary is not None:
        given.setdefault(LENGTH, str(len(head)))
    return client.post(route, data=head + (binary or b""), headers=given)


def infer(client: FlaskClient, given: dict[str, Any], binary: bytes | None, **more: Any) -> Any:
    """Ask, and return the outputs by name."""
    response = ask(client, {"inputs": [given], **more}, binary)
    assert response.status_code == 200, response.text
    length = int(response.headers.get(LENGTH, len(response.data)))
    content = json.loads(response.data[:length])
    rest = response.data[length:]
    outputs = {}
    for output in content["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is not None:
            output["data"], rest = rest[:size], rest[size:]
        outputs[output.pop("name")] = output
    assert not rest
    return outputs


def error(response: TestResponse) -> str:
    """Return the sentence of an error that has the protocol's form."""
    assert response.status_code >= 400
    assert response.mimetype == "application/json"
    content = response.get_json()
    assert set(content) == {"error"}
    return str(content["error"])
