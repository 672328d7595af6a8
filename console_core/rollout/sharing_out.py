"""Give a share of an alias' traffic to a verified collection, raise it, lower it, and end it."""

from datetime import timedelta

from console_core.database import now
from console_core.embedding.registry import ModelCards
from console_core.errors import AliasConflict, CollectionNotFound, Refused
from console_core.rollout.buckets import BUCKETS
from console_core.rollout.cutover import VERDICT_AGE, gate, written_since
from console_core.rollout.router import Router
from console_core.rollout.share import Share, ended
from console_core.vectorstore.switching import AnnouncesSwitch
from console_core.vectorstore.types import VectorStore


def hundredths_of(percent: float) -> int:
    """A share in hundredths of a percent.

    Raises:
        Refused: it is none, or has more than two decimals.
    """
    found = round(percent * BUCKETS / 100) if 0 <= percent <= 100 else -1
    if found < 0 or abs(found * 100 / BUCKETS - percent) > 1e-9:
        raise Refused(f"{percent:g} is not a share of the traffic.", "Give 0 to 100 %, with at most two decimals.")
    return found


def never_shared(store: VectorStore, alias: str) -> str:
    """Why the traffic of an alias cannot be shared out at all; "" where it can.

    Raises:
        StoreError
    """
    if not isinstance(store, AnnouncesSwitch) or store.switching(alias) is None:
        return ""
    return f"{alias} is the name of a column in an application's own table, and columns change names at a cut-over."


def pictures_only(store: VectorStore, cards: ModelCards, candidate: str) -> str:
    """That a candidate answers no searches by text; "" where it does, or is not there.

    Raises:
        StoreError
    """
    try:
        stamp = store.outline(candidate).stamp
    except CollectionNotFound:
        return ""
    if stamp is None or cards.embeds_text(stamp.model):
        return ""
    return (
        f"{candidate} answers searches by picture only, because {stamp.model} embeds no texts: by text everybody gets "
        "what the alias serves."
    )


def share_out(
    router: Router, alias: str, to: str, percent: float, *, actor: str, age: timedelta = VERDICT_AGE
) -> Share:
    """Let a collection answer a share of an alias' traffic; 0 % ends that.

    What would let the alias be cut over to the collection, and nothing less, lets the share be given or raised: the
    whole collection is read, to see that it holds what was verified. Lowering it needs no verdict. With `to` "" the
    collection that has a share already is meant. A verdict counts for the `age`.

    Raises:
        Refused: something speaks against it, or there is no share to change or end.
        AliasConflict: the alias does not exist.
        CollectionNotFound: there is no collection `to`.
    """
    hundredths = hundredths_of(percent)
    newest = router.shares.newest(alias)
    given = newest if newest is not None and newest.hundredths else None
    if not hundredths:
        return _end(router, alias, to, given, actor)
    serving = router.store.aliases().get(alias)
    if serving is None:
        raise AliasConflict(f"There is no alias {alias}.", "Introduce it first, on the Collections page.")
    current = given if given is not None and not router.over(given) else None
    if not to and current is None:
        raise Refused(
            f"No collection has a share of the traffic of {alias}.", "Name the collection that shall get one."
        )
    info = router.store.describe(to or (current.candidate if current else ""))
    if info.name == serving:
        raise Refused(
            f"{alias} serves {info.name} already, for everybody.", "Name the collection that is to follow it."
        )
    if current is not None and current.candidate != info.name:
        raise Refused(
            f"{current.candidate} has {current.percent:g} % of the traffic of {alias}, and only one collection can.",
            "End that share first: those people will get what the alias serves, and then the other collection.",
        )
    if why := never_shared(router.store, alias):
        raise Refused(why, "Cut over for everybody at once; nothing is lost by going back.")
    if current is None or hundredths > current.hundredths:
        _refuse_unverified(router, alias, info.name, serving, age)
    fingerprint = info.stamp.fingerprint if info.stamp else ""
    share = Share(now(), actor, alias, serving, info.name, fingerprint, hundredths)
    return _add(router, share, newest)


def _refuse_unverified(router: Router, alias: str, collection: str, serving: str, age: timedelta) -> None:
    found = gate(router.ledger, router.store, collection, serving=serving, age=age)
    reasons = " ".join(found.reasons)
    if found.open and found.verdict is not None:
        reasons = written_since(router.ledger, router.store, found.verdict)
    if reasons:
        raise Refused(
            f"{collection} gets no more of the traffic of {alias}: {reasons}", "Verify the collection, then share out."
        )


def _end(router: Router, alias: str, to: str, given: Share | None, actor: str) -> Share:
    if given is None or to not in ("", given.candidate):
        raise Refused(
            f"{to or 'No collection'} has {'no' if to else 'a'} share of the traffic of {alias}.",
            "There is nothing to end.",
        )
    note = f"The share of {given.candidate} ended: everybody gets what {alias} serves."
    return _add(router, ended(given, actor, note), given)


def _add(router: Router, share: Share, instead_of: Share | None) -> Share:
    if not router.shares.add(share, instead_of=instead_of):
        raise Refused(
            f"Somebody else decided about the traffic of {share.alias} meanwhile.", "Look at it, then decide again."
        )
    return share
