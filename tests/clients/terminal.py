"""`python -m tests.clients.terminal PROGRAM …`: run it on a terminal; SIGINT to us is Ctrl-C there.

Its lines come out without what only terminals understand. (Mono gives Ctrl-C to a program only
where there is a terminal, and asks that for the cursor's place before it writes.)
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios

_SEQUENCE = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[=>])")


def main() -> int:
    pid, terminal = os.forkpty()
    if pid == 0:
        settings = termios.tcgetattr(1)
        settings[1] &= ~termios.OPOST  # or each line would end in CR LF
        termios.tcsetattr(1, termios.TCSANOW, settings)
        os.environ["TERM"] = "xterm"
        os.execvp(sys.argv[1], sys.argv[1:])
    signal.signal(signal.SIGINT, lambda *_: os.write(terminal, b"\x03"))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    while said := _read(terminal):
        if b"\x1b[6n" in said:
            os.write(terminal, b"\x1b[1;1R")
        os.write(1, _SEQUENCE.sub(b"", said))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the program has ended
        return b""


if __name__ == "__main__":
    sys.exit(main())
