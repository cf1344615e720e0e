"""What `--check-hook` does: rehearse, write the sheet, say how it ended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from receiver.hooking import hooks
from receiver.hooking.hooks import HookSpec
from receiver.rehearsal import sheet
from receiver.rehearsal.rehearsal import Rehearsal, Stage


def check_hook(
    target: str,
    picture: Path | None,
    out: TextIO,
    *,
    hook_path: Sequence[str],
    timeout: float,
    setup_timeout: float,
    quality: int,
) -> int:
    """Try the hook on the picture (the test pattern without one); return 0 when it works, else 1.

    Raise ConfigError when there is no such hook, or no such picture.
    """
    spec = HookSpec.parse(target)
    hooks.locate(spec.target, hook_path)
    stage = Stage.of(picture)
    rehearsal = Rehearsal(
        spec,
        stage,
        hook_path=hook_path,
        timeout=timeout,
        setup_timeout=setup_timeout,
        quality=quality,
    )
    try:
        outcome = rehearsal.run()
    except KeyboardInterrupt:
        out.write(f"{target}: stopped before it was done\n")
        return 1
    words = ["python", "-m", "receiver", "--hook", target]
    start = shlex.join([*words, *(part for path in hook_path for part in ("--hook-path", path))])
    out.writelines(f"{line}\n" for line in sheet.lines(target, stage, outcome, start=start))
    return 0 if outcome.error is None else 1
