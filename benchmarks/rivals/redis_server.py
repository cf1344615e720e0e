"""Redis' server without files, until it is told to end; its log goes to stderr."""

from __future__ import annotations

import os

from benchmarks.rivals.options import parse


def main() -> None:
    arguments = parse(__doc__, sends=False)
    os.dup2(2, 1)
    options = f"--port {arguments.port} --bind 127.0.0.1 --appendonly no --save".split()
    os.execvp("redis-server", ["redis-server", *options, ""])  # noqa: S606


if __name__ == "__main__":
    main()
