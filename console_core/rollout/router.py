"""Who gets which collection: a share of an alias' traffic goes to a candidate before the cut-over.

Only callers that say who they are are shared out, by the bucket of their key. A share is over as soon as the alias was
moved, or its candidate is another collection than the one that was verified. That is derived at every question from
what the ledger and the store say, so that no crash can leave a share that outlives its reason; `settle` writes it down.
"""

from dataclasses import dataclass, replace

from console_core.errors import CollectionNotFound
from console_core.rollout.buckets import bucket, concerns
from console_core.rollout.cutover import made
from console_core.rollout.records import MoveKind, Moves
from console_core.rollout.share import Share, Shares, ended
from console_core.runs.ledger import Ledger
from console_core.vectorstore.types import CollectionInfo, Outline, VectorStore

_MAKING = ("reembed", "restore", "recover", "ingest")


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a caller's search goes: to `collection`, because of `share` where that is not None.

    `bucket` is None where no key was given, or a collection was named itself. `percent` is the share in force.
    """

    asked: str
    collection: str
    bucket: int | None = None
    percent: float = 0.0
    share: Share | None = None

    def without(self) -> "Routed":
        """The way where the share turns out to be over."""
        return replace(self, collection=self.asked, percent=0.0, share=None)

    def holds(self, info: CollectionInfo | Outline) -> bool:
        """Whether a collection that was found under this name is the one that the share was given to."""
        return self.share is None or _is_candidate(self.share, info)


@dataclass(frozen=True, slots=True)
class Router:
    """Routes the callers of every alias."""

    store: VectorStore
    ledger: Ledger
    moves: Moves
    shares: Shares

    def route(self, asked: str, key: str) -> Routed:
        """Where a search of `asked` goes for a caller.

        A key that the share in force concerns leads to the candidate, all others to what the alias serves. Nothing is
        shared out of a name that is no alias. The candidate is not looked at: ask `Routed.holds` once it was found.

        Raises:
            StoreError, LedgerUnavailable
        """
        share = self.shares.newest(asked)
        serving = self.store.aliases().get(asked)
        if serving is None:
            return Routed(asked, asked)
        number = bucket(asked, key)
        if share is None or not share.hundredths or self._moved(share, serving) or self._made_again(share):
            return Routed(asked, serving, number)
        if concerns(number, share.hundredths):
            return Routed(asked, share.candidate, number, share.percent, share)
        return Routed(asked, serving, number, share.percent)

    def in_force(self, alias: str) -> Share | None:
        """The share that goes to a candidate now; None where everybody gets what the alias serves.

        Raises:
            StoreError, LedgerUnavailable
        """
        return self.standing(alias)[0]

    def standing(self, alias: str) -> tuple[Share | None, str]:
        """The share that goes to a candidate now; or None, and why the last one ended ("": there never was one).

        Raises:
            StoreError, LedgerUnavailable
        """
        share = self.shares.newest(alias)
        over = "" if share is None else share.note or self.over(share)
        return (None if over else share), over

    def over(self, share: Share) -> str:
        """Why a share that was given is over by itself; "" where it is in force.

        Raises:
            StoreError, LedgerUnavailable
        """
        serving = self.store.aliases().get(share.alias)
        if why := self._moved(share, serving) or self._made_again(share):
            return why
        try:
            info = self.store.describe(share.candidate)
        except CollectionNotFound:
            return f"{share.candidate} is gone: everybody gets {share.serving}."
        return "" if _is_candidate(share, info) else f"{share.candidate} is not what was verified any more."

    def gives(self, collection: str) -> str:
        """Which shares of traffic a collection answers now, as a sentence; "" where it answers none.

        Raises:
            StoreError, LedgerUnavailable
        """
        given = [share for share in self.shares.given() if share.candidate == collection and not self.over(share)]
        return " ".join(f"It answers {share.percent:g} % of the traffic of {share.alias}: end that." for share in given)

    def settle(self, actor: str) -> list[Share]:
        """Write down, in the journal too, which shares are over; what was written. Harmless when repeated.

        Raises:
            StoreError, LedgerUnavailable
        """
        written = []
        for share in self.shares.given():
            if (why := self.over(share)) and self.shares.add(over := ended(share, actor, why), instead_of=share):
                self.ledger.note(actor, "share", share.alias, detail=f"The share of {share.candidate} ended. {why}")
                written.append(over)
        return written

    def _moved(self, share: Share, serving: str | None) -> str:
        if serving is None:
            return f"There is no alias {share.alias} any more."
        if serving == share.candidate:
            return f"{share.alias} was cut over to {share.candidate}: everybody gets it."
        if serving != share.serving:
            return f"{share.alias} was moved to {serving}: everybody gets that."
        moves = [move for move in made(self.moves.of(share.alias), serving) if move.at > share.at]
        if not moves:
            return ""
        back = "rolled back" if moves[0].kind is MoveKind.ROLLED_BACK else "moved"
        return f"{share.alias} was {back} to {serving}: everybody gets that."

    def _made_again(self, share: Share) -> str:
        runs = self.ledger.runs(kinds=_MAKING, target=share.candidate, limit=20)
        makers = (run for run in runs if run.created_at > share.at and _makes(run.kind, run.spec))
        run = next(makers, None)
        return f"Run {run.id} made {share.candidate} again." if run is not None else ""


def _makes(kind: str, spec: object) -> bool:
    """Whether a run makes its target, and does not add to one that is there."""
    told = spec if isinstance(spec, dict) else {}
    return bool(told.get("creates")) if kind == "ingest" else not told.get("fills")


def _is_candidate(share: Share, info: CollectionInfo | Outline) -> bool:
    digest = info.stamp.fingerprint if info.stamp else ""
    return (info.name, digest) == (share.candidate, share.fingerprint)
