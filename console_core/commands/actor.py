"""Who asks for a change."""

from dataclasses import dataclass

from console_core.settings import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the name that the journal keeps, and the role that decides what is allowed.

    `known`: somebody who signed in, so that nothing can be done in another's name. Else the name is that of everybody
    who comes to this console.
    """

    name: str
    role: Role
    known: bool = False
