"""NVIDIA's own Triton client, tritonclient[http], as its users write it."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import numpy as np
from tritonclient import http
from tritonclient.utils import shared_memory

from benchmarks.callers.contract import Shot, check

_MODEL = "reading_hook"


class KServe:
    """Pixels in the request's body."""

    def __init__(self, url: str) -> None:
        self._client = http.InferenceServerClient(url.removeprefix("http://"))
        self._wanted = [http.InferRequestedOutput("result")]

    def call(self, shot: Shot) -> float:
        started = time.perf_counter()
        given = http.InferInput("image", list(shot.image.shape), "UINT8")
        given.set_data_from_numpy(shot.image)
        reply = self._client.infer(_MODEL, [given], outputs=self._wanted)
        number = _number(reply)
        seconds = time.perf_counter() - started
        check(shot, number)
        return seconds

    def close(self) -> None:
        self._client.close()


class KServeSharedMemory(KServe):
    """Pixels in shared memory, where the caller puts them; the request names the place."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__(url)
        self._size = size
        name = f"/framepost-benchmark-{os.getpid()}-{size}"
        self._name = name.removeprefix("/")
        self._region: Any = shared_memory.create_shared_memory_region(self._name, name, size)
        self._client.register_system_shared_memory(self._name, name, size)

    def call(self, shot: Shot) -> float:
        started = time.perf_counter()
        shared_memory.set_shared_memory_region(self._region, [shot.image])
        given = http.InferInput("image", list(shot.image.shape), "UINT8")
        given.set_shared_memory(self._name, self._size)
        reply = self._client.infer(_MODEL, [given], outputs=self._wanted)
        number = _number(reply)
        seconds = time.perf_counter() - started
        check(shot, number)
        return seconds

    def close(self) -> None:
        self._client.unregister_system_shared_memory(self._name)
        shared_memory.destroy_shared_memory_region(self._region)
        super().close()


def _number(reply: Any) -> object:
    said = np.asarray(reply.as_numpy("result")).reshape(-1)[0]
    return json.loads(said)
