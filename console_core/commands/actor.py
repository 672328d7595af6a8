"""Who asks for a change."""

from dataclasses import dataclass

from console_core.settings import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the name that the journal keeps, and the role that decides what is allowed."""

    name: str
    role: Role
