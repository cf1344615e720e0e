"""What a program does that uses Triton's own Python client; prints what it saw, as JSON.

A process of its own: the client brings gevent, and its habits, along.

    python -m tests.receiver.kserve.triton_program 127.0.0.1:8000
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import tritonclient.http as http
from tritonclient.utils import (
    InferenceServerException,
    shared_memory,
)

IMAGE = np.zeros((120, 160, 3), np.uint8)
IMAGE[..., 0] = 200  # blue
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()


def main(address: str) -> None:
    with http.InferenceServerClient(address) as client:
        facts = {
            "server": server(client),
            "pixels": pixels(client),
            "encoded": encoded(client),
            "outputs": outputs(client),
            "errors": errors(client),
            "concurrent": concurrent(address),
            "memory": memory(client),
            "statistics": client.get_inference_statistics("colours"),
        }
    print(json.dumps(facts))


def image(**how: Any) -> Any:
    given = http.InferInput("image", IMAGE.shape, "UINT8")
    return given.set_data_from_numpy(IMAGE, **how)


def value(result: Any) -> Any:
    return json.loads(result.as_numpy("result")[0])


def server(client: Any) -> Any:
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready("colours", "1"),
        "other_ready": client.is_model_ready("nobody"),
        "metadata": client.get_server_metadata(),
        "model": client.get_model_metadata("colours"),
        "config": client.get_model_config("colours"),
        "index": client.get_model_repository_index(),
    }


def pixels(client: Any) -> Any:
    rgb = client.infer("colours", [image()], parameters={"layout": "rgb", "camera": "yard"})
    binary = client.infer("colours", [image()], request_id="7")
    return {
        "binary": value(binary),
        "id": binary.get_response()["id"],
        "rgb": value(rgb),
        "json": value(client.infer("colours", [image(binary_data=False)])),
    }


def encoded(client: Any) -> Any:
    given = http.InferInput("image", [1], "BYTES")
    given.set_data_from_numpy(np.array([JPEG], object))
    return [
        value(client.infer("colours", [given], request_compression_algorithm=algorithm))
        for algorithm in (None, "gzip", "deflate")
    ]


def outputs(client: Any) -> Any:
    seen: dict[str, Any] = {}
    for binary in (True, False):
        wished = [
            http.InferRequestedOutput(name, binary_data=binary)
            for name in ("means", "labels", "bright", "none")
        ]
        result = client.infer("colours", [image()], outputs=wished)
        told = {output["name"]: output for output in result.get_response()["outputs"]}
        seen["binary" if binary else "json"] = {
            name: {
                "datatype": told[name]["datatype"],
                "dtype": str(result.as_numpy(name).dtype),
                "values": [
                    each.decode() if isinstance(each, bytes) else each
                    for each in result.as_numpy(name).tolist()
                ],
            }
            for name in told
        }
    result = client.infer("colours", [image()], outputs=[http.InferRequestedOutput("picture")])
    drawn = np.asarray(cv2.imdecode(np.frombuffer(result.as_numpy("picture")[0], np.uint8), 1))
    every = client.infer("colours", [image()]).get_response()["outputs"]
    seen["picture"] = list(drawn.shape)
    seen["every"] = [output["name"] for output in every]
    return seen


def errors(client: Any) -> Any:
    calls: dict[str, Callable[[], Any]] = {
        "model": lambda: client.infer("nobody", [image()]),
        "output": lambda: client.infer(
            "colours", [image()], outputs=[http.InferRequestedOutput("boxes")]
        ),
        "hook": lambda: client.infer("colours", [image()], parameters={"camera": "broken"}),
        "load": lambda: client.load_model("colours"),
        "trace": client.get_trace_settings,
        "cuda": lambda: client.register_cuda_shared_memory("a", "x", 0, 1),
        "region": lambda: client.get_system_shared_memory_status("nobody"),
    }
    return {name: complaint(call) for name, call in calls.items()}


def complaint(call: Callable[[], Any]) -> str:
    try:
        call()
    except InferenceServerException as exc:
        return f"{exc.status()}: {exc.message()}"
    return "no error"


def concurrent(address: str) -> Any:
    with http.InferenceServerClient(address, concurrency=4) as client:
        waiting = [client.async_infer("colours", [image()]) for _ in range(8)]
        return [value(each.get_result())["blue"] for each in waiting]


def memory(client: Any) -> Any:
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    key = f"framepost_test_{os.getpid()}"
    handle = shared_memory.create_shared_memory_region("frames", key, 100_000)
    try:
        shared_memory.set_shared_memory_region(handle, [IMAGE])
        client.register_system_shared_memory("frames", key, 100_000)
        given = http.InferInput("image", IMAGE.shape, "UINT8")
        given.set_shared_memory("frames", IMAGE.nbytes)
        means, result = (http.InferRequestedOutput(name) for name in ("means", "result"))
        means.set_shared_memory("frames", 100, 60_000)
        result.set_shared_memory("frames", 1000, 61_000)
        client.infer("colours", [given], outputs=[means, result])
        text = shared_memory.get_contents_as_numpy(handle, np.object_, [1], 61_000)[0]
        numbers = shared_memory.get_contents_as_numpy(handle, np.float32, [3], 60_000)
        return {
            "value": json.loads(text),
            "means": [*map(float, numbers)],
            "status": [region["name"] for region in client.get_system_shared_memory_status()],
            "again": complaint(lambda: client.register_system_shared_memory("frames", key, 1)),
            "left": client.unregister_system_shared_memory("frames")
            or client.get_system_shared_memory_status(),
        }
    finally:
        shared_memory.destroy_shared_memory_region(handle)


if __name__ == "__main__":
    main(sys.argv[1])
