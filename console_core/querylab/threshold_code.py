"""A translated threshold as a few lines that an application can paste, with the fingerprints that it is valid for."""

import json
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from console_core.errors import Refused
from console_core.querylab.thresholds import Translation
from console_core.vectorstore.types import CollectionInfo

_WIDTH = 100
_LESS_IS_NEARER = ("euclid", "manhattan")


@dataclass(frozen=True, slots=True)
class Side:
    """A column that thresholds belong to: its collection, the model that made it, and that model's fingerprint."""

    collection: str
    model: str
    fingerprint: str
    distance: str = "cosine"

    @classmethod
    def of(cls, info: CollectionInfo) -> "Side":
        """The side of a collection.

        Raises:
            Refused: nothing says which model made the collection, so a threshold could not be told to be the right one.
        """
        if info.stamp is None:
            raise Refused(
                f'Nothing says which model made the collection "{info.name}".',
                "Stamp it with its model on the Collections page.",
            )
        return cls(info.name, info.stamp.model, info.stamp.fingerprint, info.distance)


def as_data(found: Translation, old: Side, new: Side) -> dict[str, Any]:
    """Everything that is known of a translation, as plain data for JSON.

    Raises:
        Refused: it proposes no threshold.
    """
    _refuse(found)
    sides = {
        name: {
            "collection": side.collection,
            "model": side.model,
            "fingerprint": side.fingerprint,
            "threshold": threshold,
        }
        for name, side, threshold in (("old", old, found.old), ("new", new, found.new))
    }
    return {
        **sides,
        "keeps": found.basis,
        "interval": {"low": found.low, "high": found.high, "confidence": found.confidence},
        "queries": found.queries,
        "judged_answers": found.judged,
        "precision": {"old": found.old_precision, "new": found.new_precision},
        "answers_per_query": {"old": found.old_volume, "new": found.new_volume},
        "held_out_difference_in_points": found.held_out,
        "seed_of_halves": found.seed,
    }


def as_json(found: Translation, old: Side, new: Side) -> str:
    """The same as text.

    Raises:
        Refused: it proposes no threshold.
    """
    return json.dumps(as_data(found, old, new), indent=2, ensure_ascii=False)


def as_python(found: Translation, old: Side, new: Side) -> str:
    """A constant and a function `passes(score, fingerprint)`, which refuses another model's scores. Needs no library.

    Raises:
        Refused: it proposes no threshold.
    """
    _refuse(found)
    kept = (
        f"the precision ({found.old_precision:.1%} there, {found.new_precision:.1%} here)"
        if found.old_precision is not None and found.new_precision is not None
        else f"the number of answers ({found.old_volume:.1f} a query there, {found.new_volume:.1f} here)"
    )
    judged = f", {found.judged:,} judged answers" if found.basis == "precision" else ""
    said = (
        f"Threshold for {_quoted(new.collection)} (model {_quoted(new.model)}). It keeps {kept} of {found.old:.6g} in "
        f"{_quoted(old.collection)} (model {_quoted(old.model)}, fingerprint {_quoted(old.fingerprint)}). "
        f"{found.confidence:.0%} interval {found.low:.6g} to {found.high:.6g}, from {found.queries:,} queries{judged}."
    )
    if new.distance in _LESS_IS_NEARER:
        said += f" A score is minus the {new.distance} distance: the higher, the nearer."
    comment = "\n".join(f"# {line}" for line in wrap(said, _WIDTH, break_long_words=False))
    return f"""{comment}
THRESHOLD = {found.new!r}
MADE_BY = {new.fingerprint!r}


def passes(score: float, fingerprint: str) -> bool:
    \"\"\"Whether an answer counts; `fingerprint` is that of the model which made the collection.\"\"\"
    if fingerprint != MADE_BY:
        raise ValueError(f"This threshold is for {{MADE_BY}}, and not for {{fingerprint}}.")
    return score >= THRESHOLD
"""


def _refuse(found: Translation) -> None:
    if found.new is None:
        raise Refused("There is no threshold to export.", " ".join(found.problems))


def _quoted(name: str) -> str:
    """A name on one line, whatever is in it."""
    return json.dumps(name)
