"""What a store is, whichever it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store is and what it cannot do, as far as it is known without asking anybody.

    `limits` are sentences for people; `capacity` is in points. A server's `version` is "" until it has told it.
    `answered` says whether the store answered when it was last asked something; None before that. `problem` says why
    the console cannot work with this version of the store, and is "" where it can; `remedy` is what to do about it.
    `keeps_metadata`: a collection can say of itself which model made it. `outgrown` is what to do once its capacity is
    not enough. `memory_per_number` and `disk_per_number` are bytes that one number of a vector takes: in this machine's
    memory, and on the store's disk. `indexed_up_to` is how many numbers a vector may have to be indexed: 0 where there
    is no index at all, None where there is no limit. `quantizations` are the kinds that it has, of `tuning.KINDS`.
    """

    kind: str
    location: str
    version: str
    limits: tuple[str, ...] = ()
    capacity: int | None = None
    embedded: bool = False
    answered: bool | None = None
    problem: str = ""
    remedy: str = ""
    keeps_metadata: bool = True
    outgrown: str = ""
    memory_per_number: float = 0
    disk_per_number: float = 8
    indexed_up_to: int | None = None
    quantizations: tuple[str, ...] = ()
