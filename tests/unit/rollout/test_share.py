"""A share of an alias' traffic goes to a verified collection, and is over as soon as its reason is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, inspect, text

from console_core import database as schema
from console_core.database import Database
from console_core.errors import AliasConflict, CollectionNotFound, OutcomeUnknown, Refused
from console_core.rollout.cutover import cut_over, introduce_alias, roll_back
from console_core.rollout.records import MoveKind, Moves
from console_core.rollout.router import Router
from console_core.rollout.share import Share, Shares, shares
from console_core.rollout.sharing_out import share_out
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Progress, Run, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point

KEYS = [f"user-{number}" for number in range(200)]


@dataclass
class Site:
    """The alias `images` serves `old`; `new` is verified against it, and `other` is not."""

    store: QdrantEmbedded
    ledger: Ledger
    moves: Moves
    shares: Shares

    @property
    def router(self) -> Router:
        return Router(self.store, self.ledger, self.moves, self.shares)

    def make(self, name: str) -> None:
        self.store.create(name, CollectionSpec(8, stamp=ModelStamp("grid", f"of {name}")))
        self.store.upsert(name, [Point(1, np.eye(8, dtype=np.float32)[0], {})])

    def verify(self, collection: str, replaces: str) -> None:
        run = self.submit("verify", collection)
        assert self.ledger.claim(Lane.STORE, "a test", only=run.id)
        held, stamp = signature_of(self.store, collection), self.store.describe(collection).stamp
        assert stamp is not None
        about = {"points": held.points, "fingerprint": stamp.fingerprint, "replaces": replaces}
        green: dict[str, object] = {"verdict": "green", "checks": [], **about, "signature": held.as_json()}
        self.ledger.record(run.id, Progress("1", Counts(), result=green))
        self.ledger.finish(run.id, RunState.SUCCEEDED, reason="")

    def submit(self, kind: str, target: str, **spec: object) -> Run:
        writes = kind != "verify"
        return self.ledger.submit(
            kind=kind, lane=Lane.STORE, title="", target=target, spec=spec, actor="olga", selected=0, writes=writes
        )

    def give(self, percent: float, to: str = "new") -> Share:
        return share_out(self.router, "images", to, percent, actor="olga")

    def move(self, to: str) -> None:
        cut_over(self.store, self.ledger, self.moves, "images", to, actor="olga")

    def who_gets(self, collection: str) -> set[str]:
        return {key for key in KEYS if self.router.route("images", key).collection == collection}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = QdrantEmbedded(tmp_path / "store")
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    found = Site(store, Ledger(database), Moves(database), Shares(database))
    for name in ("old", "new", "other"):
        found.make(name)
    introduce_alias(store, found.moves, "images", "old", actor="olga")
    found.verify("new", "old")
    yield found
    store.close()
    database.close()


def test_raising_a_share_only_adds_people_lowering_it_only_takes_some_away_and_the_others_keep_their_model(
    site: Site,
) -> None:
    assert site.who_gets("new") == set()
    site.give(10)
    tenth = site.who_gets("new")
    site.give(50, to="")
    half = site.who_gets("new")
    assert tenth < half
    assert 0 < len(tenth) < len(half) < len(KEYS)
    assert site.who_gets("old") == set(KEYS) - half
    site.give(0.5)
    assert site.who_gets("new") < tenth
    site.give(100)
    assert site.who_gets("new") == set(KEYS)
    site.give(0)
    assert site.who_gets("old") == set(KEYS)
    assert [(share.actor, share.percent) for share in site.shares.of("images")] == [
        *[("olga", 0), ("olga", 100), ("olga", 0.5), ("olga", 50), ("olga", 10)],
    ]


def test_a_collection_named_itself_is_nobodys_share(site: Site) -> None:
    site.give(100)
    assert site.router.route("old", "user-1").collection == "old"
    assert site.router.route("old", "user-1").bucket is None


REFUSED: list[tuple[str, float, str]] = [
    ("other", 10, "other gets no more of the traffic of images: other has not been verified."),
    ("old", 10, "images serves old already"),
    ("images", 10, "images serves old already"),
    ("new", 100.1, "100.1 is not a share"),
    ("new", -1, "-1 is not a share"),
    ("new", 0.001, "0.001 is not a share"),
    ("new", float("nan"), "nan is not a share"),
    ("", 10, "No collection has a share"),
    ("new", 0, "new has no share of the traffic of images"),
]


def test_what_a_share_is_refused_for(site: Site) -> None:
    for to, percent, why in REFUSED:
        with pytest.raises(Refused, match=why) as raised:
            site.give(percent, to)
        assert raised.value.remedy
    assert site.shares.of() == []


def test_an_alias_and_a_collection_that_are_not_there_get_nothing(site: Site) -> None:
    with pytest.raises(AliasConflict, match="There is no alias assets"):
        share_out(site.router, "assets", "new", 10, actor="olga")
    with pytest.raises(CollectionNotFound):
        site.give(10, "nowhere")


def test_a_second_collection_gets_no_share_before_the_first_has_none(site: Site) -> None:
    site.give(10)
    site.verify("other", "old")
    with pytest.raises(Refused, match="new has 10 % of the traffic of images, and only one collection can"):
        site.give(10, "other")
    site.give(0)
    assert site.give(10, "other").candidate == "other"


def test_a_share_grows_only_with_a_verdict_on_what_the_collection_holds_now_and_shrinks_without_one(site: Site) -> None:
    site.give(10)
    site.store.upsert("new", [Point(1, np.eye(8, dtype=np.float32)[3], {"edited": True})])
    with pytest.raises(Refused, match="new was written to after it was verified"):
        site.give(20)
    assert site.router.in_force("images") is not None, "a stale verdict is a warning, and ends nothing"
    assert site.give(5).percent == 5


def test_a_decision_that_somebody_else_made_meanwhile_is_not_overwritten(site: Site) -> None:
    first = site.give(10)
    late = Share(first.at, "karl", "images", "old", "new", first.fingerprint, 9000)
    assert not site.shares.add(late, instead_of=None)
    assert site.shares.newest("images") == first


def moved_there(site: Site) -> str:
    site.move("new")
    return "images was cut over to new: everybody gets it."


def moved_there_and_back(site: Site) -> str:
    site.move("new")
    roll_back(site.store, site.moves, "images", actor="olga")
    return "images was rolled back to old: everybody gets that."


def moved_elsewhere(site: Site) -> str:
    site.verify("other", "old")
    site.move("other")
    return "images was moved to other: everybody gets that."


def dropped(site: Site) -> str:
    site.store.drop("new")
    return "new is gone: everybody gets old."


def of_another_model(site: Site) -> str:
    site.store.stamp("new", ModelStamp("grid", "another"))
    return "new is not what was verified any more."


def built_again(site: Site) -> str:
    return f"Run {site.submit('reembed', 'new').id} made new again."


@pytest.mark.parametrize(
    "end", [moved_there, moved_there_and_back, moved_elsewhere, dropped, of_another_model, built_again]
)
def test_a_share_is_over_by_itself_and_that_is_written_down_once(site: Site, end: object) -> None:
    assert callable(end)
    share = site.give(100)
    why = end(site)
    assert site.router.over(share) == why
    assert site.router.in_force("images") is None
    assert [one.note for one in site.router.settle("the console")] == [why]
    assert site.router.settle("the console") == []
    assert site.router.in_force("images") is None
    (entry,) = site.ledger.journal(subject="images")
    assert (entry.actor, entry.action, entry.detail) == ("the console", "share", f"The share of new ended. {why}")


def test_pictures_that_are_added_to_a_candidate_end_no_share(site: Site) -> None:
    site.give(10)
    site.submit("reembed", "new", fills=True)
    assert site.router.in_force("images") is not None


def test_a_cut_over_that_a_crash_prevented_ends_no_share(site: Site) -> None:
    site.give(10)
    lost = OutcomeUnknown("The store stopped answering.", "Look at what the alias serves.")
    with pytest.raises(OutcomeUnknown), site.moves.recorded(MoveKind.CUT_OVER, "images", "old", "new", actor="olga"):
        raise lost
    assert [move.after for move in site.moves.of("images")] == ["new", "old"], "the record stays"
    assert site.router.in_force("images") is not None


def test_nobody_is_led_to_a_collection_that_was_dropped_or_is_another_by_now(site: Site) -> None:
    site.give(100)
    routed = site.router.route("images", "user-1")
    assert routed.holds(site.store.describe("new"))
    site.store.stamp("new", ModelStamp("grid", "another"))
    assert not routed.holds(site.store.describe("new"))
    assert not routed.holds(site.store.describe("old"))
    assert (routed.without().percent, routed.without().bucket) == (0, routed.bucket)


def test_a_ledger_from_before_there_were_shares_gets_their_table_as_it_is_declared(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    old = Database(url)
    with old.transaction() as connection:
        connection.execute(text("DROP TABLE alias_shares"))
        connection.execute(delete(schema.schema_steps).where(schema.schema_steps.c.name == "_m004_keep_shares"))
    old.close()
    opened = Database(url)
    columns = inspect(opened.engine).get_columns(shares.name)
    assert {column["name"]: column["nullable"] for column in columns} == {
        column.name: column.nullable for column in shares.columns
    }
    opened.close()
