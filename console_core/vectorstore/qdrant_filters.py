"""Which points a search may answer with, in Qdrant's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from qdrant_client import models

from console_core.vectorstore.json_path import path_of

WITHIN = "payload"
"""Below what key the payload within a payload field is."""


def filter_for(where: Mapping[str, Sequence[Any]] | None) -> models.Filter | None:
    """Points whose payload has, in every field, one of the values. "" and None also stand for a missing field."""
    if not where:
        return None
    return models.Filter(must=_conditions(where))


def filter_within(field: str, where: Mapping[str, Sequence[Any]] | None) -> models.Filter | None:
    """The same, by the payload within a payload field where a point has that, and else by the point's own."""
    if not where:
        return None
    lacks = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
    within = f"{field}.{WITHIN}."
    return models.Filter(
        should=[
            models.Filter(must=_conditions(where, within), must_not=[lacks]),
            models.Filter(must=[lacks, *_conditions(where)]),
        ]
    )


def _conditions(where: Mapping[str, Sequence[Any]], within: str = "") -> list[models.Condition]:
    return [_one_of(f"{within}{path_of(field)}", values) for field, values in where.items()]


def _one_of(field: str, values: Sequence[Any]) -> models.Condition:
    words = ["" if value is None else value for value in values if value is None or isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    either: list[models.Condition] = []
    if words:
        either.append(models.FieldCondition(key=field, match=models.MatchAny(any=words)))
    if "" in words:
        either.append(models.IsEmptyCondition(is_empty=models.PayloadField(key=field)))
    if numbers:
        either.append(models.FieldCondition(key=field, match=models.MatchAny(any=numbers)))
    for value in values:
        if isinstance(value, bool):
            either.append(models.FieldCondition(key=field, match=models.MatchValue(value=value)))
        elif isinstance(value, float):
            either.append(models.FieldCondition(key=field, range=models.Range(gte=value, lte=value)))
    return either[0] if len(either) == 1 else models.Filter(should=either)
