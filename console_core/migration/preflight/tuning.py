"""How the new collection will be indexed and quantized, and what of it the store would only note."""

from collections.abc import Iterator

from console_core.migration.findings import Finding, block, info, warn
from console_core.migration.preflight.target import Wanted
from console_core.vectorstore.tuning import (
    INT8,
    RESCORING,
    Settings,
    Tuning,
    index_text,
    not_in_force,
    quantization_text,
    settings_of,
)
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, VectorStore


def about_tuning(
    store: VectorStore, wanted: Wanted, tuning: Tuning, *, former: CollectionInfo | None, found: CollectionInfo | None
) -> Iterator[Finding]:
    """What a person asked for beside what the `former` collection has. `found` is the target where it is there already
    and is filled: its own settings stay.
    """
    if problems := list(tuning.problems()):
        yield block("settings-refused", " ".join(problems), "Choose a value within that range.")
        return
    if found is None:
        yield from _told(wanted, tuning, former)
    if found is None and wanted.dimension:
        spec = CollectionSpec(wanted.dimension, wanted.distance, None, wanted.index, wanted.quantization)
        if (refusal := store.refuses_spec(spec)) is not None:
            yield block("settings-refused", refusal.message, refusal.remedy)
            return
    index, quantization = settings_of(found) if found else (wanted.index, wanted.quantization)
    yield from about_store_settings(store, index, quantization, wanted.dimension, asked=not tuning.as_former)


def about_store_settings(
    store: VectorStore, index: Settings, quantization: Settings, dimension: int, *, asked: bool
) -> Iterator[Finding]:
    """What of these settings will not be in force, and what INT8 means for searches. `asked`: a person chose them."""
    about = store.info()
    compared = " Every search compares all vectors in full precision." if about.indexed_up_to == 0 else ""
    if noted := not_in_force(about, index, quantization, dimension):
        yield (warn if asked else info)(
            "settings-noted",
            f"{about.kind} does not have these settings and only notes them: {'; '.join(noted)}.{compared}",
            "A store that has them, such as edge:qdrant-edge or a Qdrant server, puts them in force once the "
            "collection is moved there.",
        )
    if quantization.get("type") == INT8 and INT8 in about.quantizations:
        yield info("rescoring", RESCORING)


def _told(wanted: Wanted, tuning: Tuning, former: CollectionInfo | None) -> Iterator[Finding]:
    had = settings_of(former) if former else ({}, {})
    new = f"{index_text(wanted.index)}; quantization: {quantization_text(wanted.quantization)}"
    if tuning.as_former and former and any(had):
        yield info("settings-kept", f"Index and quantization settings of {former.name} are taken over: {new}.")
    elif not tuning.as_former:
        has = f" {former.name} has {index_text(had[0])}; quantization: {quantization_text(had[1])}." if former else ""
        yield info("settings-chosen", f"The new collection gets {new}.{has}")
