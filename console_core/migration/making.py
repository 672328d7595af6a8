"""An empty collection, made before it is filled: what it would be, and whether it may be made. Nothing is written."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from console_core.embedding.types import Embedder
from console_core.errors import CollectionNotFound, ModelError
from console_core.migration.findings import Finding, Severity, block
from console_core.migration.preflight.ledger import about_ledger
from console_core.migration.preflight.parts import Parts
from console_core.migration.preflight.store import about_store
from console_core.migration.preflight.target import Wanted, about_name
from console_core.migration.preflight.tuning import about_tuning
from console_core.vectorstore.tuning import AS_FORMER, Tuning, index_text, quantization_text
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp


@dataclass(frozen=True, slots=True)
class NewCollection:
    """What a person asks for: a name, the model that shall fill it, and the collection or alias that it shall be like
    ("": none) but for its `tuning`."""

    name: str
    model: str
    like: str = ""
    tuning: Tuning = AS_FORMER


@dataclass(frozen=True, slots=True)
class Making:
    """What would be made. `spec` is None where something blocks."""

    asked: NewCollection
    spec: CollectionSpec | None
    findings: tuple[Finding, ...]

    @property
    def facts(self) -> dict[str, str]:
        """What would be made, for people; empty where nothing would."""
        spec = self.spec
        if spec is None or spec.stamp is None:
            return {}
        return {
            "Name": self.asked.name,
            "Vectors": f"{spec.dimension:,} numbers, {spec.distance} distance",
            "Index": index_text(spec.index) if spec.index else "the store's usual one",
            "Quantization": quantization_text(spec.quantization),
            "Stamp": f"{spec.stamp.model} {spec.stamp.fingerprint}",
            "Points": "none",
            "Aliases": "none",
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "collection": self.asked.name,
            "blocked": self.spec is None,
            "findings": [{**asdict(finding), "about": finding.about.value} for finding in self.findings],
            "made": asdict(self.spec) if self.spec else None,
        }


def making(parts: Parts, asked: NewCollection) -> Making:
    """What would be made, and what speaks against it.

    Raises:
        StoreUnavailable, LedgerUnavailable: it cannot be looked at.
    """
    findings: list[Finding] = [*about_name(asked.name, parts.ledger), *_about_taken(parts, asked.name)]
    like = _like(parts, asked, findings)
    embedder = _embedder(parts, asked.model, findings)
    findings += about_store(parts.store, asked.name)
    findings += _about_stamp(parts)
    findings += about_ledger(parts)
    wanted = Wanted.of(like, embedder, asked.tuning)
    findings += about_tuning(parts.store, wanted, asked.tuning, former=like, found=None)
    found = tuple(dict.fromkeys(findings))
    if embedder is None or any(finding.severity is Severity.BLOCK for finding in found):
        return Making(asked, None, found)
    stamp = ModelStamp(embedder.card.key, wanted.fingerprint)
    spec = CollectionSpec(wanted.dimension, wanted.distance, stamp, wanted.index, wanted.quantization)
    return Making(asked, spec, found)


def _about_taken(parts: Parts, name: str) -> Iterator[Finding]:
    try:
        found = parts.store.describe(name)
    except CollectionNotFound:
        return
    if found.name != name:
        text = f"{name} is an alias, of {found.name}."
        yield block("target-alias", text, "Choose another name for the collection.")
    else:
        yield block(
            "target-exists",
            f"{name} exists already, with {found.points:,} points.",
            f"Look whether it is what you want (`embedding-console check {name}`), or choose another name.",
        )


def _like(parts: Parts, asked: NewCollection, findings: list[Finding]) -> CollectionInfo | None:
    if not asked.like:
        return None
    try:
        return parts.store.describe(asked.like)
    except CollectionNotFound as error:
        findings.append(block("source-missing", f"There is no alias or collection {asked.like}.", error.remedy))
        return None


def _embedder(parts: Parts, model: str, findings: list[Finding]) -> Embedder | None:
    try:
        parts.models.check(model)  # `get` would download weights that are not here
        return parts.models.get(model)
    except ModelError as error:
        findings.append(block("model", error.message, error.remedy))
        return None


def _about_stamp(parts: Parts) -> Iterator[Finding]:
    """An empty collection that cannot say for which model it is could be filled by any."""
    found = parts.store.info()
    if not found.keeps_metadata:
        yield block(
            "server-metadata",
            f"{found.kind} {found.version} keeps no metadata, so an empty collection could not say for which model it "
            "is.",
            "Upgrade it to 1.16 or newer, or start the migration itself, which makes and fills the collection.",
        )
