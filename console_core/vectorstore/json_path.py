"""A payload's field as Qdrant addresses it: dots, brackets and spaces mean something else there unless quoted."""

import re

from console_core.errors import StoreRefused

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def path_of(field: str) -> str:
    """The path of the field that has just this name.

    Raises:
        StoreRefused: there is none, for what is in quotes can have no quote.
    """
    if _PLAIN.fullmatch(field):
        return field
    if not field or '"' in field:
        raise StoreRefused(
            f"Qdrant cannot look into a payload field named {field}." if field else "A payload field has no name.",
            "Filter by another field.",
        )
    return f'"{field}"'
