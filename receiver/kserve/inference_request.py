"""InferenceRequest: what a client asks of a model, read from the body of its request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from receiver.kserve.regions import Piece, whole_number
from shared.errors import FrameError

#: Numbers and brackets in the JSON; Python makes objects of many bytes out of each.
MAX_ITEMS = 4_000_000
_MAX_RANK = 4
_MAX_OUTPUTS = 256
#: Bytes of a body that are kept once it was read.
_SHORT = 2048
_BYTES_PARAMETERS = ("shared_memory_region", "shared_memory_byte_size", "shared_memory_offset")


@dataclass(frozen=True, slots=True)
class Input:
    """The picture: `data` is its binary form, or JSON, or where in shared memory it lies."""

    datatype: str
    shape: tuple[int, ...]
    data: bytes | list[Any] | Piece


@dataclass(frozen=True, slots=True)
class Output:
    """A wished output; into shared memory, as binary data, or as JSON."""

    name: str
    binary: bool
    memory: Piece | None = None


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """`outputs` is empty where the client names none; `binary` then says in which form it wants
    them. `wait` is seconds."""

    input: Input
    id: str | None = None
    camera: str | None = None
    layout: str | None = None
    wait: float | None = None
    outputs: tuple[Output, ...] = ()
    binary: bool = False


def read(body: bytes, header_length: str | None) -> InferenceRequest:
    """Read a body whose JSON is `header_length` bytes long (Inference-Header-Content-Length).

    Without that all of it is JSON; with 0 all of it is one encoded picture. Raise FrameError (400).
    """
    if header_length is None and len(body) <= _SHORT:
        return _read_again(body)
    return _read(body, header_length)


@lru_cache(maxsize=256)
def _read_again(body: bytes) -> InferenceRequest:
    # Whoever sends pictures from the same places in shared memory says the same each time.
    return _read(body, None)


def _read(body: bytes, header_length: str | None) -> InferenceRequest:
    length = _read_length(header_length, len(body))
    if length == 0:
        return InferenceRequest(Input("BYTES", (1,), len(body).to_bytes(4, "little") + body))
    content = _load(body[:length] if length < len(body) else body)
    parameters = _dict("parameters", content.get("parameters", {}))
    request_id = content.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise _wrong(f"id: expected a string, got {str(request_id)[:80]}")
    binary = parameters.get("binary_data_output", False) is True
    outputs = content.get("outputs") or []
    if not isinstance(outputs, list) or len(outputs) > _MAX_OUTPUTS:
        raise _wrong(f"outputs: expected a list of at most {_MAX_OUTPUTS}")
    inputs = content.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        count = len(inputs) if isinstance(inputs, list) else "none"
        raise _wrong(f"inputs: expected a list of one, the picture, got {count}")
    return InferenceRequest(
        input=_read_input(_dict("inputs[0]", inputs[0]), body[length:]),
        id=request_id or None,
        camera=_text(parameters, "camera"),
        layout=_text(parameters, "layout"),
        wait=_read_timeout(parameters),
        outputs=_read_outputs(outputs, binary),
        binary=binary,
    )


def _read_length(text: str | None, size: int) -> int:
    if text is None:
        return size
    length = int(text) if re.fullmatch("[0-9]{1,18}", text) else -1
    if not 0 <= length <= size:
        raise _wrong(
            f"Inference-Header-Content-Length: expected a number up to the body's {size}, "
            f"got {text[:80]!r}"
        )
    return length


def _load(text: bytes) -> dict[str, Any]:
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MAX_ITEMS:
        raise FrameError(
            f"body: expected JSON of at most {MAX_ITEMS} numbers; send pictures as binary data",
            status=413,
            reason="too_large",
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as exc:
        why = "brackets too deep" if isinstance(exc, RecursionError) else str(exc)[:200]
        raise _wrong(f"body: expected JSON ({why})") from None
    return _dict("body", content)


def _read_input(content: dict[str, Any], binary: bytes) -> Input:
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise _wrong("inputs[0]: expected a name")
    datatype = content.get("datatype")
    if datatype not in ("UINT8", "BYTES"):
        raise _wrong(
            f"input '{name[:80]}': expected datatype UINT8, for pixels, or BYTES, for a JPEG, "
            f"PNG or WebP; got {str(datatype)[:80]!r}"
        )
    parameters = _dict(f"input '{name[:80]}': parameters", content.get("parameters", {}))
    memory = _read_piece(parameters)
    size = parameters.get("binary_data_size")
    given = [what for what in (memory, size, content.get("data")) if what is not None]
    if len(given) != 1:
        raise _wrong(
            f"input '{name[:80]}': expected one of data, binary_data_size and "
            f"shared_memory_region, got {len(given)}"
        )
    if size is not None and whole_number("binary_data_size", size) != len(binary):
        raise _wrong(f"binary_data_size: {size} were announced, {len(binary)} bytes came")
    if size is None and binary:
        raise _wrong(
            f"input '{name[:80]}': {len(binary)} bytes follow the JSON that no input names"
        )
    data = binary if size is not None else memory or content["data"]
    return Input(datatype, _read_shape(name, content.get("shape")), data)


def _read_shape(name: str, shape: object) -> tuple[int, ...]:
    sides = shape if isinstance(shape, list) and len(shape) <= _MAX_RANK else []
    if not sides or not all(type(side) is int and side > 0 for side in sides):
        raise _wrong(
            f"input '{name[:80]}': expected a shape of 1 to {_MAX_RANK} whole numbers from 1, "
            f"got {str(shape)[:80]}"
        )
    return tuple(sides)


def _read_outputs(contents: list[Any], binary: bool) -> tuple[Output, ...]:
    outputs: dict[str, Output] = {}
    for number, each in enumerate(contents):
        content = _dict(f"outputs[{number}]", each)
        name = content.get("name")
        if not isinstance(name, str) or not name or name in outputs:
            raise _wrong(f"outputs[{number}]: expected a name that no other output has")
        parameters = _dict(f"output '{name[:80]}': parameters", content.get("parameters", {}))
        if parameters.get("classification"):
            raise _wrong(f"output '{name[:80]}': classification is nothing that a hook does")
        as_binary = parameters.get("binary_data", binary) is True
        outputs[name] = Output(name, as_binary, _read_piece(parameters))
    return tuple(outputs.values())


def _read_piece(parameters: dict[str, Any]) -> Piece | None:
    if not any(name in parameters for name in _BYTES_PARAMETERS):
        return None
    region = parameters.get("shared_memory_region")
    if not isinstance(region, str):
        raise _wrong("shared_memory_region: expected the name of a registered region")
    offset = whole_number("shared_memory_offset", parameters.get("shared_memory_offset", 0))
    size = whole_number("shared_memory_byte_size", parameters.get("shared_memory_byte_size"))
    return Piece(region, offset, size)


def _read_timeout(parameters: dict[str, Any]) -> float | None:
    timeout = whole_number("timeout", parameters.get("timeout", 0))
    return timeout / 1_000_000 or None


def _text(parameters: dict[str, Any], name: str) -> str | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"parameters: expected {name} to be a string, got {str(value)[:80]}")
    return value


def _dict(what: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise _wrong(f"{what}: expected a JSON object, got {type(content).__name__}")
    return content


def _wrong(message: str) -> FrameError:
    return FrameError(message, status=400, reason="tensor")
