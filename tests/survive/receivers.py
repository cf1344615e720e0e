"""Receivers for trials, with all of their defences or without one of them."""

from __future__ import annotations

from tests.program import Program, Receiver
from tests.survive.trial import Run


class Disarmed(Receiver):
    """A receiver without what `patch` (of disarmed.PATCHES) takes away."""

    def __init__(self, patch: str, *arguments: str) -> None:
        Program.__init__(
            self, "tests.survive.disarmed", patch, "receiver", "--port", "0", *arguments
        )
        try:
            self.port = int(self.wait_for(r"listening on [^ ]*:(\d+);")[1])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.url = f"http://127.0.0.1:{self.port}"


def receiver(run: Run, patch: str, *arguments: str) -> Receiver:
    """Return a receiver, in a disarmed run one without what `patch` takes away."""
    return Disarmed(patch, *arguments) if run.disarmed else Receiver(*arguments)
