"""Whether pictures can be read where they are said to be."""

from collections.abc import Iterator

from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.errors import CatalogError, ModelError
from console_core.migration.findings import Finding, Parity, Request, block, warn
from console_core.migration.preflight.model import about_dimension
from console_core.migration.preflight.parity import about_parity, compare
from console_core.migration.preflight.parts import Parts
from console_core.migration.preflight.spread import spread_rows
from console_core.migration.preflight.trial import PICTURES, Trial, trial


def look_at_pictures(
    parts: Parts, request: Request, embedder: Embedder, selected: int, findings: list[Finding]
) -> tuple[Trial, Parity | None] | None:
    """A trial on pictures from everywhere in the slice, and how far their vectors are from those of exact mode; None
    where the catalog or the model did not permit it."""
    try:
        rows = spread_rows(parts.catalog, request.part, PICTURES, selected)
        measured = trial(parts.images, embedder, rows, request.mode)
        exact = request.mode is Mode.EXACT
        parity = None if exact else compare(parts.images, embedder, request.mode, measured.embedded)
    except (CatalogError, ModelError) as error:
        code = "catalog" if isinstance(error, CatalogError) else "model"
        findings.append(block(code, error.message, error.remedy))
        return None
    if measured.dimension:
        findings += about_dimension(embedder, measured.dimension)
    findings += _about_failures(measured)
    if parity is not None:
        findings.append(about_parity(request.mode, parity))
    return measured, parity


def _about_failures(measured: Trial) -> Iterator[Finding]:
    failed = len(measured.failures)
    if not failed:
        return
    first = measured.failures[0]
    if failed == measured.tried:
        yield block("pictures", f"None of {measured.tried} pictures tried can be read: {first.message}", first.remedy)
    else:
        yield warn(
            "pictures",
            f"{failed} of {measured.tried} pictures tried cannot be read; the run lists each and goes on.",
            f"The first: {first.message} {first.remedy}".strip(),
        )


def about_roots(parts: Parts, measured: Trial | None) -> Iterator[Finding]:
    """Each image root that cannot be read from, or does not answer; it blocks where not one picture could be read.

    A folder or a list brings its own root, so that another one which is missing does no harm there.
    """
    read = measured is not None and len(measured.failures) < measured.tried
    told = measured is not None and not measured.failures
    if told and parts.catalog.info().kind in ("folder", "list"):
        return
    for root in parts.image_roots:
        problem, remedy = parts.images.trouble(str(root))
        if problem:
            severe = warn if read else block
            yield severe("image-root", f"The image root {root} {problem}.", remedy)
