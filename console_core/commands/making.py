"""What a person can ask of a collection that is not there yet: that it is made, empty, for a model."""

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.findings import Severity
from console_core.migration.making import Making, NewCollection, making
from console_core.vectorstore.tuning import AS_FORMER, Tuning


def create_collection(
    console: Console, actor: Actor, *, collection: str, model: str, like: str = "", tuning: Tuning = AS_FORMER
) -> Making:
    """Make an empty collection for a model, like another one but for its tuning; what was made.

    Raises:
        Refused: something speaks against it.
        CollectionExists: somebody else made it meanwhile.
    """
    found = making(console.preflight_parts(), NewCollection(collection, model, like, tuning))
    if found.spec is None:
        blocking = [finding for finding in found.findings if finding.severity is Severity.BLOCK]
        raise Refused(
            " ".join(finding.message for finding in blocking),
            " ".join(dict.fromkeys(finding.remedy for finding in blocking if finding.remedy)),
        )
    console.intakes.forget(collection)  # what stands there is of a collection of that name which is gone
    console.store.create(collection, found.spec)
    return found
