"""May this migration start? Everything that can be known is found out before the first write."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.types import Embedder
from console_core.errors import CatalogError, CollectionNotFound, ModelError
from console_core.migration.current import count_lacking
from console_core.migration.findings import Estimate, Finding, Preflight, Request, block, info, warn
from console_core.migration.plan import MigrationPlan
from console_core.migration.target import Target, look_at_target
from console_core.migration.trial import Trial, trial
from console_core.runs.ledger import Ledger
from console_core.vectorstore.types import CollectionInfo, StoreInfo, VectorStore

SAFETY = 1.5
"""Free space asked for, as a multiple of what the target is estimated to take."""
PAYLOAD_BYTES = 700


@dataclass(frozen=True, slots=True)
class Parts:
    """What a preflight looks at. It only reads: the store may be a read-only one."""

    catalog: ImageCatalog
    images: ImageStore
    store: VectorStore
    models: LoadedModels
    ledger: Ledger


def preflight(parts: Parts, request: Request) -> Preflight:
    """Findings, exact counts, the target's name and an estimate for what a person chose.

    Raises:
        StoreUnavailable, LedgerUnavailable: the preflight itself cannot be done.
    """
    return _Preflight(parts, request).result()


class _Preflight:
    def __init__(self, parts: Parts, request: Request) -> None:
        self._parts = parts
        self._request = request
        self._findings: list[Finding] = []
        self._aliases = parts.store.aliases()

    def result(self) -> Preflight:
        request = self._request
        if request.batch_size < 1:
            self._findings.append(block("batch-size", f"A batch cannot have {request.batch_size} pictures.", "Use 64."))
        source = self._source()
        embedder = self._embedder()
        selected = self._selected()
        looked = look_at_target(
            self._parts.store, self._parts.ledger, request, embedder.fingerprint.digest if embedder else ""
        )
        target = looked.name
        self._findings += looked.findings
        to_embed = self._to_embed(looked, embedder, selected)
        self._findings += self._compared(source, embedder)
        measured = self._trial(embedder, selected)
        estimate = self._estimate(embedder, measured, selected, to_embed)
        plan = None
        if source and embedder and not any(finding.severity == "block" for finding in self._findings):
            plan = MigrationPlan(
                alias=request.served if request.served in self._aliases else "",
                source=source.name,
                model=request.model,
                fingerprint=embedder.fingerprint.digest,
                target=target,
                dimension=embedder.card.dimension,
                distance=source.distance if source.distance in ("cosine", "dot") else "cosine",
                part=request.part,
                index=source.index,
                quantization=source.quantization,
                batch_size=request.batch_size,
                fills=looked.continued,
            )
        points = source.points if source else 0
        findings = tuple(dict.fromkeys(self._findings))
        return Preflight(request, plan, target, findings, selected, to_embed, points, estimate)

    def _source(self) -> CollectionInfo | None:
        name = self._request.served
        try:
            source = self._parts.store.describe(name)
        except CollectionNotFound:
            known = ", ".join(sorted({*self._aliases, *self._aliases.values()})) or "none"
            self._findings.append(
                block("source-missing", f"There is no alias or collection {name}.", f"Choose one of: {known}.")
            )
            return None
        self._findings += self._about_source(source)
        return source

    def _about_source(self, source: CollectionInfo) -> Iterator[Finding]:
        name = self._request.served
        if source.problem:
            yield block("source-shape", source.problem, "Migrate it into a collection with one vector a point first.")
        if name not in self._aliases and source.aliases:
            yield block(
                "alias-instead",
                f"{name} is served through the alias {source.aliases[0]}.",
                f"Migrate {source.aliases[0]}: the alias is what moves at cut-over.",
            )
        elif name not in self._aliases:
            yield block(
                "no-alias",
                f"{name} is searched by its own name, so traffic cannot be moved: an alias cannot bear a "
                "collection's name.",
                "Introduce an alias for it and let the application search that, once; then migrate the alias.",
            )
        if source.stamp is None:
            yield warn(
                "source-unknown",
                f"{source.name} does not say which model made it, so it cannot be compared in the query lab.",
                "Stamp it on the Collections page if you know the model.",
            )
        if source.distance not in ("cosine", "dot"):
            yield warn("distance", f"{source.name} measures {source.distance} distance; the new one measures cosine.")
        if source.index or source.quantization:
            yield info("settings-kept", f"Index and quantization settings of {source.name} are taken over.")

    def _embedder(self) -> Embedder | None:
        try:
            self._parts.models.check(self._request.model)  # `get` would download weights that are not here
            embedder = self._parts.models.get(self._request.model)
        except ModelError as error:
            self._findings.append(block("model", error.message, error.remedy))
            return None
        if not embedder.card.has_text:
            self._findings.append(
                warn("no-text-tower", f"{embedder.card.title} cannot embed text: only search by picture.")
            )
        self._findings.append(info("device", f"{embedder.card.title} runs on {embedder.device}."))
        return embedder

    def _selected(self) -> int:
        try:
            selected = self._parts.catalog.count(self._request.part)
            total = self._parts.catalog.count()
        except CatalogError as error:
            self._findings.append(block("catalog", error.message, error.remedy))
            return 0
        if not selected:
            self._findings.append(
                block("nothing-selected", "The catalog has no picture in this slice.", "Widen the slice.")
            )
        elif not self._request.part.is_everything:
            self._findings.append(
                warn(
                    "slice",
                    f"Only {selected:,} of {total:,} pictures are selected; the rest is not found after cut-over.",
                    "Choose everything unless this is a trial.",
                )
            )
        return selected

    def _to_embed(self, looked: Target, embedder: Embedder | None, selected: int) -> int:
        """How many pictures the target lacks: all that are selected, but where it exists and is continued."""
        if not looked.continued or embedder is None or not selected:
            return selected
        parts, digest = self._parts, embedder.fingerprint.digest
        try:
            lacking = count_lacking(parts.catalog, self._request.part, parts.store, looked.name, digest)
        except CatalogError as error:
            self._findings.append(block("catalog", error.message, error.remedy))
            return selected
        self._findings.append(
            info(
                "target-continued",
                f"{looked.name} exists with {looked.points:,} points of this model; only gaps are filled: "
                f"{lacking:,} of {selected:,} pictures.",
            )
        )
        return lacking

    def _compared(self, source: CollectionInfo | None, embedder: Embedder | None) -> Iterator[Finding]:
        if source is None or embedder is None:
            return
        card = embedder.card
        if source.stamp and source.stamp.fingerprint == embedder.fingerprint.digest and not self._request.target:
            yield warn("same-model", f"{source.name} was made by this very model; search would not change.")
        if source.dimension != card.dimension:
            yield info("dimension", f"The dimension changes from {source.dimension} to {card.dimension}.")

    def _trial(self, embedder: Embedder | None, selected: int) -> Trial | None:
        if embedder is None or not selected:
            return None
        parts = self._parts
        try:
            measured = trial(parts.catalog, parts.images, embedder, self._request.part)
        except (CatalogError, ModelError) as error:
            code = "catalog" if isinstance(error, CatalogError) else "model"
            self._findings.append(block(code, error.message, error.remedy))
            return None
        failed = len(measured.failures)
        if failed == measured.tried:
            first = measured.failures[0]
            self._findings.append(
                block("pictures", f"None of {measured.tried} pictures tried can be read: {first.message}", first.remedy)
            )
        elif failed:
            self._findings.append(
                warn(
                    "pictures",
                    f"{failed} of {measured.tried} pictures tried cannot be read; the run lists each and goes on.",
                )
            )
        return measured

    def _estimate(
        self, embedder: Embedder | None, measured: Trial | None, selected: int, to_embed: int
    ) -> Estimate | None:
        if embedder is None or measured is None or not measured.rate:
            return None
        store = self._parts.store.info()
        size = to_embed * _bytes_per_point(store, embedder.card.dimension)
        self._findings += self._room(store, selected, size)
        seconds = to_embed / measured.rate
        return Estimate(measured.rate, (0.7 * seconds, 1.5 * seconds), size, measured.tried)

    def _room(self, store: StoreInfo, selected: int, size: int) -> Iterator[Finding]:
        if store.capacity is not None and selected > store.capacity:
            yield block(
                "capacity",
                f"{selected:,} points do not fit into the embedded store, which is good for {store.capacity:,}.",
                "Connect a Qdrant server (README, Connect your own).",
            )
        if not store.embedded:
            return
        free = shutil.disk_usage(Path(store.location)).free
        if free < SAFETY * size:
            yield block(
                "disk",
                f"The target needs about {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free.",
                f"Make space on the disk of {store.location}.",
            )


def _bytes_per_point(store: StoreInfo, dimension: int) -> int:
    """The embedded store keeps 9 bytes a number; a server keeps float32 vectors, their index and the payload."""
    return 9 * dimension + PAYLOAD_BYTES if store.embedded else 8 * dimension + PAYLOAD_BYTES
