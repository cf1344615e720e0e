"""Island: a network of its own on this machine, with one wire to it that can be cut."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.survive.trial import Unable

_NUMBERS = itertools.count()
_INSTALL = "as root, with apt-get install iproute2 iptables"


class Island:
    """A network namespace; this side's address is `near`, its own is `far`.

    What is done to the wire concerns TCP between a program inside and a port of `near`. Raise
    Unable where the kernel or the user may not make one.
    """

    def __init__(self) -> None:
        number = os.getpid() * 17 + next(_NUMBERS)
        self._name = f"fp{number:x}"
        self._wire = f"{self._name}w"
        # 198.18.0.0/15 is set aside for tests (RFC 2544): nobody is there.
        net = f"198.{18 + number // 256 % 2}.{number % 256}"
        self.near, self.far = f"{net}.3", f"{net}.2"
        #: Leads to this side too. Of a name that has both, `near` comes first, as more of its bits
        #: are `far`'s (RFC 6724, section 5, rule 9).
        self.other = f"{net}.1"
        self._hosts = Path("/etc/netns", self._name, "hosts")
        self._stack = ExitStack()

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that is to run there."""
        return ("ip", "netns", "exec", self._name)

    def __enter__(self) -> Self:
        for tool in ("ip", "iptables", "tc"):
            if shutil.which(tool) is None:
                raise Unable(f"{tool} is missing; run it {_INSTALL}")
        with self._stack:
            try:
                _do("ip", "netns", "add", self._name)
            except subprocess.CalledProcessError as exc:
                raise Unable(f"no network namespace ({exc.stderr.strip()}); {_INSTALL}") from None
            self._stack.callback(_do, "ip", "netns", "del", self._name)
            self._make_resolver()
            peer = f"{self._wire}p"
            _do(*("ip", "link", "add", self._wire, "type", "veth"), "peer", "name", peer)
            # Else it stays as long as a connection inside is not given up.
            self._stack.callback(_do, "ip", "link", "del", self._wire)
            _do("ip", "link", "set", peer, "netns", self._name)
            for address in (self.near, self.other):
                _do("ip", "addr", "add", f"{address}/24", "dev", self._wire)
            _do("ip", "link", "set", self._wire, "up")
            _do(*self.inside, "ip", "addr", "add", f"{self.far}/24", "dev", peer)
            _do(*self.inside, "ip", "link", "set", peer, "up")
            _do(*self.inside, "ip", "link", "set", "lo", "up")
            self._peer = peer
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def drop(self, port: int) -> None:
        """Let every packet from and to `port` vanish."""
        self._rule(port, "-j", "DROP")

    def lose(self, port: int, share: float) -> None:
        """Let `share` of the packets vanish, each way."""
        chance = ("-m", "statistic", "--mode", "random", "--probability", str(share))
        self._rule(port, *chance, "-j", "DROP")

    def reset(self, port: int) -> None:
        """Answer every packet to `port` with a reset."""
        self._inside_iptables(
            *("-A", "OUTPUT", "-p", "tcp", "--dport", str(port)),
            *("-j", "REJECT", "--reject-with", "tcp-reset"),
        )

    def narrow(self, rate: str) -> None:
        """Let so much out of the island, as in "2mbit"; 200 ms of it may wait on the wire."""
        _do(
            *(*self.inside, "tc", "qdisc", "add", "dev", self._peer, "root", "tbf"),
            *("rate", rate, "burst", "8kb", "latency", "200ms"),
        )

    def call(self, *lines: str) -> None:
        """Let names have these addresses inside, as lines of a hosts file, and no other name any.

        For programs that are started later, and while they run.
        """
        self._hosts.write_text("".join(f"{line}\n" for line in lines))

    def forget(self, address: str, port: int) -> None:
        """Let every packet to that port of `address` vanish."""
        to = ("-p", "tcp", "-d", address, "--dport", str(port))
        self._inside_iptables("-A", "OUTPUT", *to, "-j", "DROP")

    def lost(self) -> int:
        """Return how many packets vanished since the last `mend`."""
        listed = _do(*self.inside, "iptables", "-w", "-L", "-v", "-x", "-n")
        return sum(int(line.split()[0]) for line in listed.splitlines() if " DROP " in line)

    def mend(self) -> None:
        """Undo all of it but `narrow`."""
        self._inside_iptables("-F")

    def _make_resolver(self) -> None:
        # `ip netns exec` lays what is in this folder over /etc (ip-netns(8)).
        self._hosts.parent.mkdir(parents=True)
        self._stack.callback(shutil.rmtree, self._hosts.parent)
        self._hosts.touch()
        # There is no name server, which is said at once.
        self._hosts.with_name("resolv.conf").write_text("nameserver 127.0.0.1\n")

    def _rule(self, port: int, *rule: str) -> None:
        self._inside_iptables("-A", "OUTPUT", "-p", "tcp", "--dport", str(port), *rule)
        self._inside_iptables("-A", "INPUT", "-p", "tcp", "--sport", str(port), *rule)

    def _inside_iptables(self, *rule: str) -> None:
        _do(*self.inside, "iptables", "-w", *rule)


def _do(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
