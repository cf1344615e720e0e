"""Page: the blocks of a Markdown document, in order, and what their author says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"```(\w*)\s*$")
_COMMENT = re.compile(r"<!--\s*(not run|run first|file):\s*(.*?)\s*-->", re.DOTALL)
#: A block that begins with a comment of nothing but a file's name is that file.
_NAME = re.compile(r"(?:#|//)\s*([\w./-]+\.(?:py|java|yaml|yml|json|js|mjs))\b")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences."""

    page: str
    line: int
    language: str
    text: str
    #: Why it is not run, where it is not.
    not_run: str | None = None
    #: Commands that its reader is taken to have given before it.
    first: tuple[str, ...] = ()
    #: The file that it is, relative to the project.
    file: str | None = None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Page:
    """A document."""

    name: str
    blocks: tuple[Block, ...]

    @classmethod
    def read(cls, path: Path, name: str) -> Page:
        return cls.parse(path.read_text(encoding="utf-8"), name)

    @classmethod
    def parse(cls, text: str, name: str) -> Page:
        blocks: list[Block] = []
        language: str | None = None
        inside: list[str] = []
        prose: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            fence = _FENCE.match(line)
            if language is not None:
                if line.startswith("```"):
                    body, start = "\n".join(inside) + "\n", number - len(inside)
                    blocks.append(_block(name, start, language, body, "\n".join(prose)))
                    language, inside, prose = None, [], []
                else:
                    inside.append(line)
            elif fence:
                language = fence[1]
            else:
                prose.append(line)
        return cls(name, tuple(blocks))

    def of(self, *languages: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.language in languages)


def _block(page: str, line: int, language: str, body: str, prose: str) -> Block:
    """Make a block, and heed the comments in the prose since the one before."""
    name = _NAME.match(body)
    file = name[1] if name else None
    not_run, first = None, []
    for comment in _COMMENT.finditer(prose):
        text = " ".join(comment[2].split())
        match comment[1]:
            case "run first":
                first.append(text)
            case "file":
                file = text
            case "not run":
                not_run = text
    return Block(page, line, language, body, not_run, tuple(first), file)
