"""Script: the commands of a block, one at a time, as somebody types them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_STATUS = re.compile(r"#\s*ends with (\d+)")
#: curl is told to end with this after a refusal.
_REFUSAL = re.compile(r"#\s*answers [45]\d\d\b")
_REFUSED = 22
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
#: Options with which a program of ours ends by itself.
_ENDING = {"--help", "--check", "--check-hook", "--once", "--version"}
#: Ours that go on until Ctrl-C.
_SERVING = {"receiver", "receiver.worker", "sender", "camera", "receiver.top"}


@dataclass(frozen=True, slots=True)
class Step:
    """One command."""

    text: str

    @property
    def words(self) -> list[str]:
        """What a shell makes of it, without the variables before it and the comment behind it."""
        try:
            words = shlex.split(self.text, comments=True)
        except ValueError:
            return self.text.split()
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        return words

    @property
    def module(self) -> str | None:
        """The program of ours that it starts."""
        words = self.words
        if words and words[0].rpartition("/")[2] in ("python", "python3") and "-m" in words[:2]:
            return words[2]
        return None

    @property
    def serves(self) -> bool:
        """Whether it goes on while the reader types in another terminal."""
        if self.text.rstrip().endswith(" &"):
            return True
        options = {word.partition("=")[0] for word in self.words}
        return self.module in _SERVING and not options & _ENDING and "|" not in self.words

    @property
    def status(self) -> int:
        """The exit status that the page tells of."""
        found = _STATUS.search(self.text)
        if found is None:
            return _REFUSED if _REFUSAL.search(self.text) else 0
        return int(found[1])

    def option(self, name: str, default: str) -> str:
        words = [part for word in self.words for part in word.split("=", 1)]
        return words[words.index(name) + 1] if name in words[:-1] else default


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a block, each with all of its lines."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        command = [line]
        if heredoc := _HEREDOC.search(line):
            for more in lines:
                command.append(more)
                if more.strip() == heredoc[2]:
                    break
        while not _is_whole("\n".join(command)):
            following = next(lines, None)
            if following is None:
                break
            command.append(following)
        yield Step("\n".join(command))


def _is_whole(text: str) -> bool:
    if text.endswith("\\"):
        return False
    return subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode == 0
