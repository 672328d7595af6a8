"""A filter by payload as people write it, and what collections hold that can be filtered by."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from math import isfinite
from typing import Any

from console_core.errors import StoreError
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.types import REQUEST, VectorStore

NAMESPACE = "namespace"
READ = 1000
"""Points of each collection that are looked at for what can be filtered by."""
MOST_FIELDS, MOST_VALUES = 40, 50
"""Fields, and values of one field, that are offered. Others can be written all the same."""
_LONGEST = 80
_WHOLE = 2**63


def where_of(chosen: Mapping[str, Iterable[str]]) -> dict[str, list[Any]]:
    """The filter of a search, from values as they are written; a value that reads like a number or a truth value also
    stands for that, and "" for a field that is not there."""
    return {field: [meant for text in values for meant in meanings(text)] for field, values in chosen.items()}


def meanings(text: str) -> list[Any]:
    """What a value may mean in a payload: the text, and the number or truth value that it reads like."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if isinstance(read, bool) or (isinstance(read, int) and -_WHOLE <= read < _WHOLE):
        return [text, read]
    return [text, read] if isinstance(read, float) and isfinite(read) else [text]


def offered(store: VectorStore, collections: Sequence[str], *, read: int = READ) -> dict[str, list[str]]:
    """Fields of the payloads with their commonest values, as they would be written.

    The namespace comes first, then what points share, and at last what hardly two have in common. Of each
    collection the first points are looked at; one that cannot be read offers nothing.
    """
    having: Counter[str] = Counter()
    held: dict[str, Counter[str]] = {}
    for name in collections:
        with suppress(StoreError):
            for page in islice(pages(store, name, size=min(read, REQUEST)), -(-read // min(read, REQUEST))):
                for point in page:
                    for field, value in application_payload(point.payload).items():
                        texts = _texts(value)
                        having[field] += bool(texts)
                        held.setdefault(field, Counter()).update(texts)

    def rank(field: str) -> tuple[bool, bool, int, str]:
        return field != NAMESPACE, 4 * len(held[field]) > having[field], -having[field], field

    ranked = sorted(held, key=rank)
    fields = [field for field in ranked if held[field]][:MOST_FIELDS]
    return {field: [text for text, _ in held[field].most_common(MOST_VALUES)] for field in fields}


def _texts(value: Any) -> set[str]:
    """A payload's value as it would be written, those of a list each; nothing of what cannot be filtered by."""
    found = value if isinstance(value, list) else [value]
    texts = (str(one).lower() if isinstance(one, bool) else str(one) for one in found if _is_plain(one))
    return {text for text in texts if 0 < len(text) <= _LONGEST}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
