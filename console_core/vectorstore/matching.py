"""Whether a point's payload passes a search's filter, for stores that cannot ask their engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from console_core.vectorstore.types import Payload


def matches(payload: Payload, where: Mapping[str, Sequence[Any]] | None) -> bool:
    """Whether the payload has, in every field, one of the values, or a list with one of them. "" and None also stand
    for a missing field."""
    return all(_has(payload.get(name), values) for name, values in (where or {}).items())


def _has(found: Any, values: Sequence[Any]) -> bool:
    wanted = ["" if value is None else value for value in values]
    if found is None or found == []:
        return "" in wanted
    held = found if isinstance(found, list) else [found]
    return any(_same(one, value) for one in held for value in wanted)


def _same(one: Any, other: Any) -> bool:
    """True is not 1 here."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
