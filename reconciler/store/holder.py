"""Who holds a lease: a process, named so that another one on the same machine can tell whether it lives."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

_PROC = Path("/proc")
_SIGN = " sign "


@dataclass(frozen=True, slots=True)
class Holder:
    """One process. `machine` is empty where the system does not say enough to judge others by."""

    host: str
    pid: int
    machine: str
    """Boot id and process-id namespace: inside one, a pid with its start time means one process."""
    started: str
    """The process's start, in clock ticks since the boot."""
    sign: str = ""
    """The key of its sign of life (see sign.py), where it has one."""

    def to_text(self) -> str:
        """With the sign behind the machine, for a program that knows no signs breaks on another key.

        It takes such a holder for another machine's, of which it knows nothing: it waits for the lease's end.
        """
        machine = f"{self.machine}{_SIGN}{self.sign}" if self.sign else self.machine
        values = asdict(replace(self, machine=machine))
        del values["sign"]
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Holder:
        said = json.loads(text)
        machine, _, sign = said["machine"].partition(_SIGN)
        return cls(said["host"], said["pid"], machine, said["started"], sign if sign.isdecimal() else "")

    def is_here(self) -> bool:
        """Whether this process is one of this machine's, or of this container's, that can be looked up."""
        here = this_process()
        return bool(here.machine) and (self.host, self.machine) == (here.host, here.machine)

    def is_dead(self) -> bool:
        """Whether this process is known to be gone; False for another machine's, of which nobody knows."""
        return self.is_here() and _start_of(self.pid) != self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def this_process() -> Holder:
    pid = os.getpid()
    return Holder(socket.gethostname(), pid, _machine(), _start_of(pid))


def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """When the process started; empty if there is none, or only the entry of one that has ended."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()  # the name before may hold anything
    return "" if state in {"Z", "X"} else rest[18]
