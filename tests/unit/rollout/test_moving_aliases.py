"""An alias moves in one call, with a record and a way back, or it does not move at all."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from console_core.database import Database
from console_core.errors import AliasConflict, CollectionNotFound, OutcomeUnknown, Refused, StoreUnavailable
from console_core.rollout.cutover import cut_over, gate, introduce_alias, roll_back, way_back
from console_core.rollout.records import Move, MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Progress, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, Point


class Interrupted(QdrantEmbedded):
    """A store to which something happens right before an alias is moved."""

    move_elsewhere = ""
    away = False
    answers = True

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        if self.away:
            raise StoreUnavailable("The store is away.", "Start it.")
        if elsewhere := self.move_elsewhere:
            self.move_elsewhere = ""
            super().set_alias(alias, elsewhere, expected=self.aliases().get(alias))
        super().set_alias(alias, to, expected=expected)
        if not self.answers:
            raise OutcomeUnknown("The store stopped answering.", "Look at what the alias serves.")


@dataclass
class Site:
    """The collections a, b and c of one point each; no alias."""

    store: Interrupted
    ledger: Ledger
    moves: Moves

    def introduce(self, collection: str = "a", alias: str = "images") -> Move:
        return introduce_alias(self.store, self.moves, alias, collection, actor="olga")

    def verify(self, collection: str, replaces: str) -> None:
        """A green verdict on a collection, compared with what it would replace."""
        verify = self.ledger.submit(
            kind="verify", lane=Lane.STORE, title="", target=collection, spec={}, actor="olga", writes=False
        )
        assert self.ledger.claim(Lane.STORE, "a test", only=verify.id)
        held = signature_of(self.store, collection)
        about = {"points": held.points, "fingerprint": None, "replaces": replaces, "signature": held.as_json()}
        green: dict[str, object] = {"verdict": "green", "checks": [], **about}
        self.ledger.record(verify.id, Progress("1", Counts(), result=green))
        self.ledger.finish(verify.id, RunState.SUCCEEDED, reason="")

    def cut_over(self, to: str, alias: str = "images") -> Move:
        self.verify(to, self.store.aliases().get(alias, ""))
        return cut_over(self.store, self.ledger, self.moves, alias, to, actor="olga", migration="m-1")

    def roll_back(self, alias: str = "images") -> Move:
        return roll_back(self.store, self.moves, alias, actor="ben")

    def told(self) -> list[tuple[str, str, str]]:
        return [(move.kind.value, move.before, move.after) for move in reversed(self.moves.of("images"))]

    def serves(self) -> str | None:
        return self.store.aliases().get("images")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger, store = Ledger(database), Interrupted(tmp_path / "store")
    for name in ("a", "b", "c"):
        store.create(name, CollectionSpec(4))
        store.upsert(name, [Point(1, np.ones(4, dtype=np.float32), {})])
    yield Site(store, ledger, Moves(database))
    store.close()
    database.close()


def test_a_cut_over_and_its_rollback_are_recorded_with_who_and_from_what_to_what(site: Site) -> None:
    site.introduce()
    moved = site.cut_over("b")
    assert (moved.kind, moved.actor, moved.before, moved.after, moved.migration) == (
        *(MoveKind.CUT_OVER, "olga", "a", "b"),
        "m-1",
    )
    assert site.serves() == "b"
    back = site.roll_back()
    assert (back.kind, back.actor, back.before, back.after, back.migration) == (
        *(MoveKind.ROLLED_BACK, "ben", "b", "a"),
        "m-1",
    )
    assert site.serves() == "a"
    assert site.told() == [("introduced", "", "a"), ("cut over", "a", "b"), ("rolled back", "b", "a")]
    assert site.moves.of("images")[1] == moved
    assert {info.name: info.points for info in site.store.collections()} == {"a": 1, "b": 1, "c": 1}


def test_a_rollback_undoes_the_last_cut_over_once(site: Site) -> None:
    site.introduce()
    with pytest.raises(Refused, match="no cut-over of it to roll back"):
        site.roll_back()
    site.cut_over("b")
    site.cut_over("c")
    site.roll_back()
    assert site.serves() == "b"
    with pytest.raises(Refused, match="images serves b, and there is no cut-over of it to roll back"):
        site.roll_back()
    assert site.serves() == "b"
    site.cut_over("c")
    assert site.roll_back().after == "b"


def test_the_way_back_is_that_of_the_collection_that_is_served(site: Site) -> None:
    site.introduce()
    assert way_back(site.moves, "images", "a") is None
    cut = site.cut_over("b")
    assert way_back(site.moves, "images", "b") == cut
    assert way_back(site.moves, "images", "c") is None
    assert way_back(site.moves, "others", "b") is None
    site.roll_back()
    assert way_back(site.moves, "images", "a") is None


def test_an_alias_that_somebody_moves_at_the_same_moment_is_left_alone_and_nothing_is_recorded(site: Site) -> None:
    site.introduce()
    site.store.move_elsewhere = "c"
    with pytest.raises(AliasConflict, match="Somebody else moved it"):
        site.cut_over("b")
    assert site.serves() == "c"
    assert site.told() == [("introduced", "", "a")]


def test_an_alias_that_somebody_moved_after_the_cut_over_is_not_rolled_back(site: Site) -> None:
    site.introduce()
    site.cut_over("b")
    site.store.set_alias("images", "c", expected="b")
    with pytest.raises(Refused, match="images serves c"):
        site.roll_back()
    assert site.serves() == "c"


def test_an_alias_that_somebody_moves_during_a_rollback_is_left_alone(site: Site) -> None:
    site.introduce()
    site.cut_over("b")
    site.store.move_elsewhere = "c"
    with pytest.raises(AliasConflict):
        site.roll_back()
    assert site.serves() == "c"
    assert len(site.told()) == 2


def test_a_store_that_is_away_leaves_no_record_of_a_move(site: Site) -> None:
    site.introduce()
    site.store.away = True
    with pytest.raises(StoreUnavailable):
        site.cut_over("b")
    site.store.away = False
    assert site.told() == [("introduced", "", "a")]
    assert site.serves() == "a"
    site.cut_over("b")
    assert site.roll_back().after == "a"


def test_a_cut_over_whose_answer_was_lost_can_be_rolled_back(site: Site) -> None:
    site.introduce()
    site.store.answers = False
    with pytest.raises(OutcomeUnknown):
        site.cut_over("b")
    site.store.answers = True
    assert site.serves() == "b"
    assert site.roll_back().after == "a"
    assert site.serves() == "a"


def test_a_collection_that_was_verified_against_another_one_is_not_cut_over_to(site: Site) -> None:
    site.introduce()
    site.verify("b", replaces="c")
    with pytest.raises(Refused, match="not compared with a"):
        cut_over(site.store, site.ledger, site.moves, "images", "b", actor="olga")


def _edit_payload(store: Interrupted) -> None:
    (point,) = store.retrieve("b", [1], vectors=True)
    store.upsert("b", [Point(1, point.vector, {"caption": "another"})])


def _edit_vector(store: Interrupted) -> None:
    (point,) = store.retrieve("b", [1], vectors=True)
    assert point.vector is not None
    moved = point.vector.copy()
    moved[0] += 0.05
    store.upsert("b", [Point(1, moved, point.payload)])


def _replace_a_point(store: Interrupted) -> None:
    (point,) = store.retrieve("b", [1], vectors=True)
    store.delete("b", [1])
    store.upsert("b", [Point(2, point.vector, point.payload)])


@pytest.mark.parametrize("write", [_edit_payload, _edit_vector, _replace_a_point])
def test_any_write_after_the_verdict_that_leaves_the_count_as_it_was_is_noticed_before_the_alias_moves(
    site: Site, write: Callable[[Interrupted], None]
) -> None:
    site.introduce()
    site.verify("b", replaces="a")
    write(site.store)
    assert site.store.count("b") == 1
    assert gate(site.ledger, site.store, "b", serving="a").open, "the cheap look cannot see it"
    with pytest.raises(Refused, match="b was written to after it was verified"):
        cut_over(site.store, site.ledger, site.moves, "images", "b", actor="olga")
    assert site.serves() == "a"
    assert [kind for kind, _, _ in site.told()] == ["introduced"]


def test_what_is_written_and_taken_back_leaves_the_verdict_as_it_was(site: Site) -> None:
    site.introduce()
    site.verify("b", replaces="a")
    before = site.store.retrieve("b", [1], vectors=True)
    _edit_payload(site.store)
    site.store.upsert("b", before)
    assert cut_over(site.store, site.ledger, site.moves, "images", "b", actor="olga").after == "b"


def test_a_rollback_to_a_collection_that_is_gone_is_refused_and_search_goes_on(site: Site) -> None:
    site.introduce()
    site.cut_over("b")
    site.store.drop("a")
    with pytest.raises(CollectionNotFound):
        site.roll_back()
    assert site.serves() == "b"
    assert len(site.told()) == 2


def test_an_alias_is_introduced_once_and_never_with_a_collections_name(site: Site) -> None:
    for name in ("", " ", "two words", "a/b", "..", "a@b"):
        with pytest.raises(Refused, match=f'"{re.escape(name)}" cannot be the name of an alias'):
            site.introduce(alias=name)
    with pytest.raises(AliasConflict, match="is a collection"):
        site.introduce(alias="b")
    with pytest.raises(CollectionNotFound):
        site.introduce("nowhere")
    site.introduce()
    with pytest.raises(AliasConflict):
        site.introduce("b")
    assert site.serves() == "a"
    assert site.told() == [("introduced", "", "a")]


def test_what_cannot_be_cut_over_changes_nothing(site: Site) -> None:
    with pytest.raises(AliasConflict, match="There is no alias images"):
        site.cut_over("b")
    site.introduce()
    with pytest.raises(Refused, match="serves a already"):
        site.cut_over("a")
    with pytest.raises(CollectionNotFound):
        site.cut_over("nowhere")
    site.store.create("unverified", CollectionSpec(4))
    with pytest.raises(Refused, match="unverified has not been verified"):
        cut_over(site.store, site.ledger, site.moves, "images", "unverified", actor="olga")
    assert site.serves() == "a"
    assert len(site.told()) == 1


def test_aliases_have_their_own_ways_back(site: Site) -> None:
    site.introduce("a", "images")
    site.introduce("b", "others")
    site.cut_over("b", "images")
    site.cut_over("c", "others")
    assert site.roll_back("images").after == "a"
    assert site.store.aliases() == {"images": "a", "others": "c"}
    assert site.roll_back("others").after == "b"
