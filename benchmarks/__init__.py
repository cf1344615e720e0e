"""Measurements, each run by one command: `python -m benchmarks NAME`."""

import sys
from pathlib import Path

# Our client for Python is copied by its users, not installed.
sys.path.append(str(Path(__file__).parent.parent / "clients" / "python"))
