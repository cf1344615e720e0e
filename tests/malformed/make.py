"""Write data/ anew: `python -m tests.malformed.make`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.malformed import cases

FOLDER = Path(__file__).parent / "data"
INDEX = "expected.json"


def files() -> dict[str, bytes]:
    """Return what data/ holds: NAME.http for each request, and what each is answered."""
    made = cases.every()
    found = {f"{name}.http": sent for name, (sent, _) in made.items()}
    expected = {name: list(answers) for name, (_, answers) in made.items()}
    return found | {INDEX: json.dumps(expected, indent=1).encode() + b"\n"}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
