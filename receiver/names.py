"""Names: settings of which several stand in one variable, separated by commas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

_split = BeforeValidator(
    lambda given: [one.strip() for one in given.split(",")] if isinstance(given, str) else given
)
Names = Annotated[list[str], NoDecode, _split]
Paths = Annotated[list[Path], NoDecode, _split]
