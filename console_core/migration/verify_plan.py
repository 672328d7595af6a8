"""What a verification shall check, frozen before it starts and stored with its run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from console_core.catalog.sampling import SIZE
from console_core.catalog.types import Slice
from console_core.embedding.types import Embedder
from console_core.errors import FingerprintMismatch


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """What is checked: `collection` against the catalog's `part`, for the model `model` with `fingerprint`.

    `replaces` is the collection that is served now and that this one would replace; "" where there is none. `full`
    embeds all pictures again, else a random `sample` of that size. `ours` says that this console built the
    collection, so that a point which does not say where it comes from is foreign.
    """

    collection: str
    model: str
    fingerprint: str
    dimension: int
    part: Slice
    replaces: str = ""
    full: bool = False
    sample: int = SIZE
    ours: bool = True

    def refuse_changed(self, embedder: Embedder) -> None:
        """Refuse a model that is not the one any more that made the collection: it can neither judge nor mend it.

        Raises:
            FingerprintMismatch
        """
        if embedder.fingerprint.digest != self.fingerprint:
            raise FingerprintMismatch(
                f"{self.collection} was made by {self.model} {self.fingerprint}, but that model now has "
                f"{embedder.fingerprint.digest}: its weights or settings changed since.",
                "Put the old weights back and resume, or migrate to the model as it is now.",
            )

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "part": Slice.from_json(fields["part"])})
