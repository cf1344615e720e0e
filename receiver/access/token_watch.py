"""TokenWatch: reads the file of tokens again when it has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from receiver.access.token_file import read_tokens
from receiver.hooking.watch import Watch
from shared.access.grant import Token
from shared.access.tokens import Tokens
from shared.errors import ConfigError
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds between two looks; a changed file is read when it has rested for one.
_LOOK = 0.5


class TokenWatch(Worker):
    """Have the file's tokens in force, and `fixed` ones. A broken file changes nothing."""

    def __init__(self, path: Path, tokens: Tokens, *, fixed: Iterable[Token] = ()) -> None:
        super().__init__("token watch")
        self._path = path
        self._tokens = tokens
        self._fixed = tuple(fixed)
        self._watch = Watch(_LOOK)
        self._watch.follow([str(path)])
        self.read()

    def step(self) -> None:
        self.pause(_LOOK)
        if self._watch.changed() and not self.stopping:
            count = self.read()
            if count is not None:
                logger.info("%s: was read again, %d tokens are in force", self._path, count)

    def read(self) -> int | None:
        """Read the file; return how many tokens are in force, None if it is broken."""
        try:
            tokens = [*read_tokens(self._path), *self._fixed]
        except ConfigError as exc:
            told = "; ".join(exc.problems)
            logger.warning("%s; the tokens stay what they were", told)
            return None
        self._tokens.replace(tokens)
        return len(tokens)
