"""From what an encoder check measured to what it says: which fault it looks like, and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console_core.embedding.types import Embedder
from console_core.embedding.wiring import Fact, Part
from console_core.querylab.encoder_captions import ENOUGH
from console_core.querylab.encoder_report import (
    Alternative,
    Captions,
    Compared,
    Finding,
    Lengths,
    Level,
    Structure,
    Tried,
)
from console_core.querylab.encoder_vectors import FEWEST_ALIKE, PERMUTATIONS, explanation
from console_core.vectorstore.types import CollectionInfo

CHANCE = 0.01
"""The p value above which texts, or stored vectors, have nothing to do with the pictures as far as can be told."""
SURE = 0.001
"""The p value up to which the other activation is better for certain."""
GAIN = 0.02
"""Standard deviations that it must gain besides: less is no sign of a wrong activation, however certain it is."""
_OTHER_ACTIVATION = (
    "OpenAI's weights need QuickGELU (an architecture that ends in -quickgelu, or quick_gelu: true), almost all others "
    "GELU. Correct that and load the model again."
)
_UNSTAMPED = "Embed its pictures again by a migration to the same model, or repair it on its Verify page."


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured. `enough` is how many pictures ought to be compared. `foreign` of `told` points say that a
    model with another fingerprint made them, `by` names the commonest. `shown` is false where nobody can look into
    the model. `why_no_captions` says why texts were not compared."""

    info: CollectionInfo
    embedder: Embedder
    compared: Compared
    enough: int
    lengths: Lengths
    tried: Sequence[Tried]
    structure: Structure | None
    captions: Captions | None
    other_activation: Alternative | None
    why_no_captions: str
    facts: Sequence[Fact]
    shown: bool
    foreign: int = 0
    told: int = 0
    by: str = ""


def findings(found: Measured) -> tuple[Finding, ...]:
    """What was found, the reds first; each code once."""
    told: dict[str, Finding] = {}
    for one in (*_of_wiring(found), *_of_record(found), *_of_vectors(found), *_of_captions(found)):
        told.setdefault(one.code, one)
    order = list(Level)
    return tuple(sorted(told.values(), key=lambda one: order.index(one.level)))


def _of_wiring(found: Measured) -> Iterator[Finding]:
    title = found.embedder.card.title
    for fact in found.facts:
        if fact.fits:
            continue
        said = f"Expected by {fact.source}: {fact.expected}. Found: {fact.found}."
        match fact.part:
            case Part.PADDING:
                yield _red(
                    "padding",
                    f"{title} is given texts that are padded in another way than it was trained with. {said} Its "
                    "vectors of texts are wrong, those of pictures are not.",
                    "Have the tokenizer fill every text up to the context length with its own padding token "
                    '(padding="max_length"; SigLIP needs that), and load the model again.',
                )
            case Part.CONTEXT:
                yield _red(
                    "context-length",
                    f"{title} reads texts of another length than it was trained with. {said} Its vectors of texts are "
                    "wrong, those of pictures are not.",
                    "Correct context_length in the model's configuration, and that of the tokenizer, to what the "
                    "weights have, and load the model again.",
                )
            case Part.ACTIVATION:
                yield _red(
                    "activation",
                    f"{title} computes with another activation than it was trained with. {said}",
                    _OTHER_ACTIVATION,
                )
            case Part.PREPROCESSING:
                yield _red(
                    "preprocessing",
                    f"{title} does not prepare pictures as its configuration says. {said}",
                    "Load the model again; if that does not help, put its files there anew.",
                )
    other = found.other_activation
    if other is not None and other.texts >= ENOUGH and other.gain >= GAIN and other.p <= SURE:
        yield _red(
            "activation",
            f"{title} fits better with the other activation: {other.texts} captions stand out more for their own "
            f"pictures (by {other.gain:.2f} standard deviations in the mean, p = {other.p:.4f}). Weights fit the "
            "activation that they were trained with best.",
            _OTHER_ACTIVATION,
        )
    if not found.shown:
        yield Finding("wiring-unknown", Level.WARN, f"What {title} was loaded with could not be looked into.")


def _of_record(found: Measured) -> Iterator[Finding]:
    info, embedder = found.info, found.embedder
    here = embedder.fingerprint.digest
    if info.dimension != embedder.card.dimension:
        yield _red(
            "collection",
            f"{info.name} has vectors of {info.dimension} numbers, and {embedder.card.title} makes "
            f"{embedder.card.dimension}: this is another model's collection.",
            "Choose the collection that this model made, or stamp this one with the model that made it.",
        )
    elif info.stamp is not None and info.stamp.fingerprint != here:
        yield _red(
            "weights",
            f"{info.name} says that it was made by {info.stamp.model} with the fingerprint {info.stamp.fingerprint}; "
            f"the model loaded here has {here}: other weights, preprocessing or text handling.",
            "Load the weights that made it (look at the tag or the file in the model's card), or embed it again.",
        )
    elif found.foreign:
        yield _red(
            "weights",
            f"{found.foreign:,} of {found.told:,} points looked at say that a model with the fingerprint {found.by} "
            f"made them; the model loaded here has {here}.",
            _UNSTAMPED,
        )
    yield from of_lengths(found.lengths, info)


def of_lengths(lengths: Lengths, info: CollectionInfo) -> Iterator[Finding]:
    """What lengths of stored vectors say: red where they change answers."""
    if lengths.void:
        yield _red(
            "vectors",
            f"{lengths.void:,} of {lengths.points:,} stored vectors are zero or not finite.",
            "Verify the collection, and repair it.",
        )
    if not lengths.wrong:
        return
    said = (
        f"{lengths.wrong:,} of {lengths.points:,} stored vectors are not of length 1 (from {lengths.lowest:.4g} to "
        f"{lengths.highest:.4g}): whoever wrote them left the normalisation out."
    )
    remedy = "Divide vectors by their length before they are written, and write these again."
    if info.distance == "cosine":
        told = f"{said} Answers by cosine are the same; whoever compares them by dot product gets others."
        yield Finding("normalisation", Level.WARN, told, remedy)
    else:
        told = f"{said} By {info.distance}, lengths count, and answers are others than the model's."
        yield _red("normalisation", told, remedy)


def _of_vectors(found: Measured) -> Iterator[Finding]:
    numbers = found.compared
    looked = numbers.pictures + numbers.unknown + numbers.changed + sum((numbers.unreadable or {}).values())
    if numbers.unknown > looked / 2:
        yield _red(
            "collection",
            f"{numbers.unknown:,} of {looked:,} points looked at have no picture in the catalog: this is a collection "
            "of other pictures.",
            "Choose the collection that was made from this catalog, or connect the catalog that it was made from.",
        )
    if numbers.disagreeing:
        yield _disagreeing(found)
    if numbers.pictures < found.enough and found.info.dimension == found.embedder.card.dimension:
        yield _red(
            "too-few",
            f"Only {numbers.pictures:,} pictures could be compared, and {found.enough:,} are needed: "
            f"{numbers.unknown:,} are not in the catalog, {sum((numbers.unreadable or {}).values()):,} cannot be "
            f"embedded, the files of {numbers.changed:,} changed since.",
            "See on the Coverage and Failures pages what is the matter with them, and check again.",
        )


def _disagreeing(found: Measured) -> Finding:
    numbers, info, title = found.compared, found.info, found.embedder.card.title
    said = (
        f"{numbers.disagreeing:,} of {numbers.pictures:,} pictures embedded again are not what {info.name} has of them "
        f"(median cosine of all {numbers.median:.3f}, lowest {numbers.lowest:.3f}; {numbers.threshold:g} is expected)."
    )
    if numbers.sought and 2 * numbers.elsewhere > numbers.sought:
        return _red(
            "shuffled",
            f"{said} The right vectors are there, but at other points: of {numbers.elsewhere:,} of "
            f"{numbers.sought:,} looked for. The weights are right; the ids do not belong to the vectors.",
            "Look for the place where ids and vectors are put together (a sort, a filter, threads that end in another "
            "order), and write these points again.",
        )
    if (way := explanation(found.tried)) is not None:
        remedy = {
            "channels": "Whoever wrote them read pictures in BGR, as OpenCV does: convert to RGB, and embed again.",
            "activation": "Whoever wrote them used GELU for QuickGELU, or the reverse; OpenAI's weights need QuickGELU "
            "(an architecture that ends in -quickgelu). Correct that, and embed again.",
        }.get(way.fault, "Prepare pictures as the model's own configuration says, and embed again.")
        return _red(
            way.fault,
            f"{said} Embedded {way.way}, they are: {way.agreeing:,} of {way.pictures:,} tried, median cosine "
            f"{way.median:.4f}.",
            remedy,
        )
    if found.structure is None:
        return _red(
            "vectors",
            f"{said} No known wrong way of embedding reproduces them, and fewer than {FEWEST_ALIKE} disagree: too few "
            "to tell what made them.",
            "Verify the collection: the files of these pictures may have been replaced since. Then repair it.",
        )
    alike = f"correlation {found.structure.correlation:.2f}, p = {_p(found.structure.p, PERMUTATIONS)}"
    if found.structure.p <= CHANCE and found.structure.correlation > 0:
        return _red(
            "weights",
            f"{said} They find the same pictures alike as {title} does ({alike}), so they are of these pictures, by "
            "other weights. No known wrong way of embedding reproduces them.",
            "Find out which weights (tag, file) made them: stamp the collection with that model, or embed it again.",
        )
    return _red(
        "collection",
        f"{said} They find other pictures alike than {title} does ({alike}): they are vectors of other pictures, or of "
        "none.",
        "Check that this is the collection of this catalog: its ids may be those of another list of pictures.",
    )


def _of_captions(found: Measured) -> Iterator[Finding]:
    told = found.captions
    if told is None:
        yield Finding("captions-skipped", Level.INFO, f"Texts were not compared with pictures: {found.why_no_captions}")
        return
    ranks = f"median rank {told.median_rank:g} of {told.texts}, by chance {told.chance_rank:g}"
    if told.texts < ENOUGH:
        yield Finding(
            "captions-skipped",
            Level.INFO,
            f"Only {told.texts} different captions ({ranks}): with fewer than {ENOUGH} nothing is concluded.",
        )
    elif told.p > CHANCE:
        yield _red(
            "captions",
            f"Captions do not find their own pictures better than chance ({ranks}, p = {told.p:.3g}): the model's "
            f"texts do not fit its pictures, or the field {told.field} does not describe them.",
            "Look at a few captions. If they describe the pictures, the tokenizer or the text weights are wrong; if "
            "not, name another field, or leave captions out.",
        )


def _red(code: str, message: str, remedy: str) -> Finding:
    return Finding(code, Level.RED, message, remedy)


def _p(value: float, permutations: int) -> str:
    return f"{value:.3f}" if value > 1 / (permutations + 1) else f"{value:.3f}, the least that can be found"
