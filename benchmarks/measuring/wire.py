"""Wire: a loopback of this process' own whose packets are as small, and get lost, as on a network.

What the kernel's loopback carries is never lost, in packets of 64 kB. Here they have the size of
Ethernet's, also where the kernel would cut them later, so that what is lost is what a wire loses.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess

#: sched.h
_CLONE_NEWNET = 0x40000000
_MTU = "1500"


class Wire:
    """A network namespace that this process enters for good, and what it starts from then on.

    Made on the main thread. Raise OSError that says what is missing.
    """

    def __init__(self) -> None:
        for tool in ("ip", "iptables"):
            if shutil.which(tool) is None:
                raise OSError(f"{tool} is missing; apt-get install iproute2 iptables")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            why = os.strerror(ctypes.get_errno())
            raise OSError(f"no network namespace ({why}); it takes root")
        _do("ip", "link", "set", "lo", "up", "mtu", _MTU)
        _do("ip", "link", "set", "lo", "gso_max_size", _MTU, "gso_max_segs", "1")

    def lose(self, share: float) -> None:
        """Let `share` of all packets vanish from now on, each way; 0 for none."""
        _do("iptables", "-w", "-F", "INPUT")
        if share:
            chance = ("-m", "statistic", "--mode", "random", "--probability", str(share))
            _do("iptables", "-w", "-A", "INPUT", "-i", "lo", *chance, "-j", "DROP")

    def thin(self, rate: str, queue: str) -> None:
        """Let no more pass than `rate`, as tc has it; what does not fit into `queue` is lost."""
        bucket = ("tbf", "rate", rate, "burst", "16kb", "limit", queue)
        _do("tc", "qdisc", "add", "dev", "lo", "root", *bucket)


def _do(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as exc:
        raise OSError(f"{' '.join(command)}: {exc.stderr.strip()}") from None
