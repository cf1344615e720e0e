"""Model routes: what there is, whether it runs, and how it has done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flask

from receiver.door import reply
from receiver.kserve.inference_reply import VERSION
from receiver.kserve.statistics import Statistics
from receiver.kserve.tensors import PICTURE, RESULT
from receiver.models import Model, Models
from shared.errors import FrameError

_EXTENSIONS = [
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "statistics",
    "system_shared_memory",
]
#: Of -1 there is any number.
_INPUT = ("image", "UINT8", [-1, -1, 3])
_OUTPUTS = ((RESULT, "BYTES", [1]), (PICTURE, "BYTES", [-1]))
_STATES = {"ready": "READY", "loading": "LOADING", "unavailable": "UNAVAILABLE"}
#: Returns one sentence for each thing that is wrong.
Check = Callable[[], Sequence[str]]


def add_to(
    bp: flask.Blueprint, models: Models, statistics: Statistics, *, alive: Check, ready: Check
) -> None:
    """Add the routes."""

    @bp.get("/v2")
    @bp.get("/v2/")
    def get_server() -> flask.Response:
        return reply({"name": "framepost", "version": "2", "extensions": _EXTENSIONS})

    @bp.get("/v2/health/live")
    def get_live() -> flask.Response:
        return _health("live", list(alive()))

    @bp.get("/v2/health/ready")
    def get_ready() -> flask.Response:
        return _health("ready", [*alive(), *ready()])

    @bp.post("/v2/repository/index")
    def get_index() -> flask.Response:
        told = []
        for model in models.all():
            state, why = models.state(model)
            told.append(
                {"name": model.name, "version": VERSION, "state": _STATES[state], "reason": why}
            )
        return reply(told)

    @bp.post("/v2/repository/models/<path:name>/load")
    @bp.post("/v2/repository/models/<path:name>/unload")
    def change_repository(name: str) -> flask.Response:
        raise FrameError(
            f"model '{name[:80]}': hooks are given by --hook when the receiver starts; "
            "a changed one is loaded anew by itself",
            status=400,
            reason="model",
        )

    @bp.get("/v2/models/stats")
    def get_all_statistics() -> flask.Response:
        return reply({"model_stats": [statistics.facts(each) for each in models.all()]})

    @bp.get("/v2/models/<path:name>/stats")
    @bp.get("/v2/models/<path:name>/versions/<version>/stats")
    def get_statistics(name: str, version: str = VERSION) -> flask.Response:
        return reply({"model_stats": [statistics.facts(find(models, name, version))]})

    @bp.get("/v2/models/<path:name>/ready")
    @bp.get("/v2/models/<path:name>/versions/<version>/ready")
    def get_model_ready(name: str, version: str = VERSION) -> flask.Response:
        model = find(models, name, version)
        state, why = models.state(model)
        return _health("ready", [] if state == "ready" else [why], name=model.name)

    @bp.get("/v2/models/<path:name>/config")
    @bp.get("/v2/models/<path:name>/versions/<version>/config")
    def get_config(name: str, version: str = VERSION) -> flask.Response:
        return reply(_config(find(models, name, version)))

    @bp.get("/v2/models/<path:name>")
    @bp.get("/v2/models/<path:name>/versions/<version>")
    def get_model(name: str, version: str = VERSION) -> flask.Response:
        return reply(_metadata(find(models, name, version)))


def find(models: Models, name: str, version: str) -> Model:
    """Return the model; raise FrameError (404)."""
    model = models.get(name)
    if version != VERSION:
        raise FrameError(
            f"model '{model.name}': expected version {VERSION}, got {version[:80]!r}",
            status=404,
            reason="model",
        )
    return model


def _metadata(model: Model) -> dict[str, Any]:
    """Return the metadata. A hook's arrays are outputs too, which only its results tell."""
    name, datatype, shape = _INPUT
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": "framepost_hook",
        "inputs": [{"name": name, "datatype": datatype, "shape": shape}],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": shape}
            for name, datatype, shape in _OUTPUTS
        ],
    }


def _config(model: Model) -> dict[str, Any]:
    """Return what of Triton's ModelConfig there is to say."""
    name, datatype, shape = _INPUT
    return {
        "name": model.name,
        "platform": "framepost_hook",
        "backend": "",
        "max_batch_size": 0,
        "input": [{"name": name, "data_type": f"TYPE_{datatype}", "dims": shape}],
        "output": [
            {"name": name, "data_type": "TYPE_STRING", "dims": shape} for name, _, shape in _OUTPUTS
        ],
        "parameters": {
            "hook": {"string_value": model.target},
            "camera": {"string_value": model.camera or "*"},
        },
    }


def _health(word: str, wrong: list[str], **more: str) -> flask.Response:
    """Return 200 or, as the protocol says it, 400."""
    told = {**more, word: not wrong}
    if wrong:
        told["error"] = "; ".join(wrong)
    return reply(told, status=400 if wrong else 200)
