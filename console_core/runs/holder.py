"""Who holds a ledger, and how another process is told."""

import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from console_core.database import now
from console_core.errors import LedgerOwned


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that owns a ledger. `name` is what a person started: "console on port 8501"."""

    name: str
    pid: int
    host: str
    since: datetime

    @classmethod
    def this_process(cls, name: str) -> Self:
        return cls(name=name, pid=os.getpid(), host=socket.gethostname(), since=now())

    def as_text(self) -> str:
        return json.dumps({"name": self.name, "pid": self.pid, "host": self.host, "since": self.since.isoformat()})

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """What `as_text` wrote; None where it is something else, or half of it."""
        try:
            fields = json.loads(text)
            return cls(
                name=str(fields["name"]),
                pid=int(fields["pid"]),
                host=str(fields["host"]),
                since=datetime.fromisoformat(fields["since"]),
            )
        except (ValueError, KeyError, TypeError):
            return None


def refusal(holder: Holder | None, *, free_at: datetime | None = None) -> LedgerOwned:
    """The error that says which process owns the ledger and what to do. `free_at`: when its lease ends by itself."""
    if holder is None:
        return LedgerOwned("Another process works in this workspace.", "Use that one, or stop it first.")
    where = "this machine" if holder.host == socket.gethostname() else holder.host
    remedy = f"Use that one, or stop process {holder.pid} on {where} first: a workspace has one owner at a time."
    if free_at is not None:
        remedy += f" If it has died, the workspace is free at {free_at:%H:%M:%S} UTC."
    return LedgerOwned(
        f"This workspace is in use by {holder.name} "
        f"(process {holder.pid} on {where}, since {holder.since:%Y-%m-%d %H:%M} UTC).",
        remedy,
    )
