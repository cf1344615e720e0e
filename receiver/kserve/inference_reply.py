"""InferenceReply: a result in the form that the client asked for."""

from __future__ import annotations

import json
from typing import Any

from receiver.kserve.inference_request import InferenceRequest, Output
from receiver.kserve.regions import Regions
from receiver.kserve.tensors import names_in, tensor_of
from receiver.models import Model
from receiver.result import Result

VERSION = "1"


def write(
    request: InferenceRequest, model: Model, result: Result, regions: Regions
) -> tuple[bytes, int | None]:
    """Return the body, and how long the JSON at its head is where binary data follow it.

    Outputs that are meant for shared memory are written there. Raise FrameError.
    """
    wished = request.outputs or [Output(name, request.binary) for name in names_in(result)]
    tensors = [(each, tensor_of(result, each.name)) for each in wished]
    outputs = []
    parts: list[bytes] = []
    for output, tensor in tensors:
        facts: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if output.memory is not None:
            data = tensor.to_bytes()
            regions.write(output.memory, data, what=f"output '{tensor.name}'")
            facts["parameters"] = {
                "shared_memory_region": output.memory.region,
                "shared_memory_offset": output.memory.offset,
                "shared_memory_byte_size": len(data),
            }
        elif output.binary:
            parts.append(tensor.to_bytes())
            facts["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            facts["data"] = tensor.to_json()
        outputs.append(facts)
    content = {"model_name": model.name, "model_version": VERSION, "outputs": outputs}
    if request.id is not None:
        content["id"] = request.id
    head = json.dumps(content).encode()
    return b"".join([head, *parts]), len(head) if parts else None
