"""Write all vectors anew: `python -m tests.vectors.make`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.vectors.cases import bodies, envelope, forms, frames, pixels, streams
from tests.vectors.vector import Exchange, Vector

FOLDER = Path(__file__).parent / "data"


def groups() -> dict[str, list[Vector]]:
    """Return the vectors by the folder that they go into."""
    return {
        "frames": frames.vectors(),
        "headers": envelope.headers(),
        "digest": envelope.digests(),
        "pictures": bodies.formats(),
        "truncated": bodies.truncated(),
        "length": bodies.lengths(),
        "base64": forms.base64s(),
        "multipart": forms.multiparts(),
        "classic": forms.classics(),
        "raw": pixels.raws(),
        "stream": streams.streams(),
    }


def files() -> dict[str, bytes]:
    """Return the content of every file, by its path within the folder."""
    made: dict[str, bytes] = {}
    for group, vectors in groups().items():
        for vector in vectors:
            name = f"{group}/{vector.name}"
            assert f"{name}.json" not in made, f"two vectors are called {name}"
            steps = [
                _step(vector, exchange, number, made, group)
                for number, exchange in enumerate(vector.exchanges, 1)
            ]
            content: dict[str, Any] = {"about": vector.about}
            if vector.receiver:
                content["receiver"] = vector.receiver
            content["exchanges"] = steps
            made[f"{name}.json"] = (json.dumps(content, indent=2) + "\n").encode()
    return made


def _step(
    vector: Vector, exchange: Exchange, number: int, made: dict[str, bytes], group: str
) -> dict[str, Any]:
    suffix = f".{number}" if len(vector.exchanges) > 1 else ""
    file = f"{vector.name}{suffix}.http"
    made[f"{group}/{file}"] = exchange.request
    step: dict[str, Any] = {"send": file}
    if exchange.connection != "a":
        step["connection"] = exchange.connection
    if exchange.fin:
        step["fin"] = True
    if exchange.later:
        step["later"] = True
    return {**step, "expect": exchange.expect}


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    made = files()
    for name, content in made.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    count = sum(name.endswith(".json") for name in made)
    print(f"{count} vectors, {sum(map(len, made.values())) / 1024:.0f} KiB, in {FOLDER}")


if __name__ == "__main__":
    main()
