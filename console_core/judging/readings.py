"""What was read of complete snapshots, kept in memory: nothing of them changes, and pages are drawn again and again."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property

from console_core.judging.snapshots import ColumnAnswer, Snapshot, Snapshots
from console_core.querylab.rankings import Rankings

MOST = 200_000
"""Pictures in the answers that are kept, of all snapshots together: some fifty megabytes."""


class Reading:
    """A snapshot's answers, read when they are first asked for. Shared by threads, so nothing of it is to be changed.
    `size` is how many pictures its answers have, at most."""

    def __init__(self, snapshots: Snapshots, snapshot: Snapshot) -> None:
        self._snapshots, self._snapshot = snapshots, snapshot
        self.size = snapshots.count(snapshot.id) * len(snapshot.columns) * snapshot.depth

    @cached_property
    def answers(self) -> tuple[ColumnAnswer, ...]:
        return tuple(self._snapshots.answers(self._snapshot.id))

    @cached_property
    def rankings(self) -> tuple[Rankings, ...]:
        """See `Snapshots.rankings`."""
        return self._snapshots.rankings(self._snapshot)

    @cached_property
    def margins(self) -> tuple[Mapping[str, float], ...]:
        """See `Snapshots.margins`."""
        return self._snapshots.margins(self._snapshot)


class Readings:
    """The last snapshots that were read, as many as fit into `most` pictures; one that is larger is not kept."""

    def __init__(self, snapshots: Snapshots, *, most: int = MOST) -> None:
        self._snapshots, self._most = snapshots, most
        self._kept: OrderedDict[tuple[str, str], Reading] = OrderedDict()
        self._intact: dict[tuple[str, str], bool] = {}
        self._guard = threading.Lock()

    def of(self, snapshot: Snapshot) -> Reading:
        """What there is to read of a snapshot. One that is not complete yet is read anew each time."""
        name = snapshot.id, snapshot.digest
        with self._guard:
            if (known := self._kept.get(name)) is not None:
                self._kept.move_to_end(name)
                return known
        made = Reading(self._snapshots, snapshot)
        if snapshot.is_complete and made.size <= self._most:
            with self._guard:
                made = self._kept.setdefault(name, made)
                while sum(one.size for one in self._kept.values()) > self._most:
                    self._kept.popitem(last=False)
        return made

    def is_intact(self, snapshot: Snapshot, *, afresh: bool = False) -> bool:
        """Whether a snapshot is still what it was sealed as: looked at once in a process, and whenever `afresh`."""
        name = snapshot.id, snapshot.digest
        if afresh or name not in self._intact:
            self._intact[name] = self._snapshots.is_intact(snapshot)
        return self._intact[name]
