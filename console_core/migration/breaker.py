"""Stop where picture after picture fails: then it is not the pictures, and going on would only write them all off."""

from collections import Counter
from collections.abc import Callable, Mapping

from console_core.errors import FailsThroughout
from console_core.runs.types import Failure

LIMIT = 200
"""Pictures that may fail one after the other. A run of fewer is judged at its end."""
MODEL_ERROR = "model error"
STORE_REFUSED = "store refused"
_GO_ON = "then resume: it goes on behind these. Retry them afterwards, on the Failures page."


class Breaker:
    """Counts pictures that failed in a row, in the order in which they were tried.

    A picture that succeeds ends the row. One that was not tried says nothing, and neither does one whose failure was
    known before: a build over pictures that are broken for good must come to its end.
    """

    def __init__(self, source: str, model: str, store: Callable[[], str], *, limit: int = LIMIT) -> None:
        """`source`, `model` and `store` are the culprits for people; the store is asked only when it is one."""
        self._names: dict[str, Callable[[], str]] = {
            "source": lambda: f"Images under {source}",
            "model": lambda: f"The model {model}",
            "store": store,
        }
        self.limit = limit
        self._row: list[Failure] = []

    @property
    def room(self) -> int:
        """How many pictures may be tried before it must be known what became of them; 0 once it has tripped."""
        return self.limit - len(self._row)

    def count(self, failure: Failure | None) -> None:
        """The next picture that was tried: how it failed, or None where it succeeded."""
        if failure is None:
            self._row.clear()
        else:
            self._row.append(failure)

    def check(self) -> None:
        """Go on, or stop.

        Raises:
            FailsThroughout: the last `limit` pictures failed; names the culprit and what to do.
        """
        if self.room > 0:
            return
        kinds = Counter(failure.kind for failure in self._row)
        culprit = Counter(map(_culprit, kinds.elements())).most_common(1)[0][0]
        example = next(failure for failure in self._row if _culprit(failure.kind) == culprit)
        told = _told(culprit, kinds, example)
        raise FailsThroughout(f"{self._names[culprit]()}: {told}", _REMEDIES[culprit])


def _culprit(kind: str) -> str:
    return {MODEL_ERROR: "model", STORE_REFUSED: "store"}.get(kind, "source")


def _told(culprit: str, kinds: Mapping[str, int], example: Failure) -> str:
    number = sum(kinds.values())
    of = f"{number:,} of the last {number:,} pictures"
    which = example.path or example.key
    if len(kinds) > 1:
        parts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        return f"{of} failed ({parts}), e.g. {which}: {example.message}"
    if example.kind == "unavailable":
        return f"{of} are unavailable, e.g. {example.message.rstrip('.')}."
    if culprit == "source":
        what = "did not arrive in time" if example.kind == "timeout" else f"are {example.kind}"
        return f"{of} {what}, e.g. {which}."
    what = "could not be embedded" if culprit == "model" else "were refused"
    return f"{of} {what}, e.g. {which}: {example.message}"


_REMEDIES = {
    "source": "See that the folder is there, mounted and readable, or that the pictures' server answers, and that "
    f"the catalog's paths lead to it; {_GO_ON}",
    "model": f"Check the model's weights and its device; {_GO_ON}",
    "store": f"Mend what the store says; {_GO_ON}",
}
