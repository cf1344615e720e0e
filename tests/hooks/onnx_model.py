"""A tiny ONNX model, byte by byte: whatever goes in, the same numbers come out.

Protocol buffers' wire form (tag = field << 3 | type), with the field numbers of onnx.proto3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_FLOAT = 1


def constant_model(output: npt.NDArray[np.float32], height: int, width: int) -> bytes:
    """Return a model of input `images` (1, 3, height, width) that always gives `output`.

    It takes the input's mean times zero and adds the numbers, so that nothing is without input.
    """
    numbers = _tensor("numbers", output.shape, output.tobytes())
    zero = _tensor("zero", (1,), np.zeros(1, np.float32).tobytes())
    rank = output.ndim
    shape = _tensor("shape", (rank,), np.ones(rank, np.int64).tobytes(), kind=7)
    nodes = [
        _node("GlobalAveragePool", ["images"], "pooled"),
        _node("ReduceMean", ["pooled"], "mean", _ints("axes", [1]), _int("keepdims", 1)),
        _node("Mul", ["mean", "zero"], "nothing"),
        _node("Reshape", ["nothing", "shape"], "flat"),
        _node("Add", ["flat", "numbers"], "output"),
    ]
    graph = b"".join(_field(1, node) for node in nodes)
    graph += _field(2, b"graph")
    graph += b"".join(_field(5, tensor) for tensor in (numbers, zero, shape))
    graph += _field(11, _value("images", (1, 3, height, width)))
    graph += _field(12, _value("output", output.shape))
    opset = _field(1, b"") + _number(2, 13)
    return _number(1, 8) + _field(7, graph) + _field(8, opset)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _tensor(name: str, shape: tuple[int, ...], data: bytes, kind: int = _FLOAT) -> bytes:
    dims = b"".join(_number(1, side) for side in shape)
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, data)


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_field(1, _number(1, side)) for side in shape)
    kind = _field(1, _number(1, _FLOAT) + _field(2, dims))
    return _field(1, name.encode()) + _field(2, kind)


def _int(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _number(3, value) + _number(20, 2)


def _ints(name: str, values: list[int]) -> bytes:
    return _field(1, name.encode()) + b"".join(_number(8, v) for v in values) + _number(20, 7)


def _node(operator: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    ends = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    return (
        ends
        + _field(3, output.encode())
        + _field(4, operator.encode())
        + b"".join(_field(5, attribute) for attribute in attributes)
    )
