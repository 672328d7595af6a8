"""The names that collections and aliases may be given: the same for every store, and for every act that gives one."""

import re

from console_core.errors import Refused
from console_core.vectorstore.sharing import AT

LONGEST = 200
_NAME = re.compile(rf"[^\s<>:\"/\\|?*\x00-\x1f]{{1,{LONGEST}}}")
"""Names that Qdrant takes for a collection; the embedded store makes a folder of that name."""
_ODD = re.compile(r"[\s<>:\"/\\|?*\x00-\x1f]+")
RULE = f'Use up to {LONGEST} characters, without spaces and any of < > : " / \\ | ? *'


def is_name(name: str) -> bool:
    """Whether a collection or an alias may be given that name."""
    return bool(_NAME.fullmatch(name)) and name not in (".", "..")


def refuse_name(name: str, what: str = "a collection") -> None:
    """Raises Refused: nothing may be given that name."""
    if not is_name(name):
        raise Refused(f'"{name}" cannot be the name of {what}.', RULE)


def refuse_vector_name(name: str, what: str = "a collection") -> None:
    """Raises Refused: nothing may be given that name, or it is that of a vector within a collection."""
    refuse_name(name, what)
    if AT in name:
        raise Refused(
            f'"{name}" cannot be the name of {what}: {AT} stands between a collection and a named vector of it.',
            f"Choose a name without {AT}.",
        )


def as_name(text: str) -> str:
    """The text as a name may have it: what none may have is replaced by -, and long ones are cut to half the room."""
    return _ODD.sub("-", text).strip("-.")[: LONGEST // 2] or "collection"
