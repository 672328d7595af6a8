"""A collection may go live after a green verdict on exactly what it holds now; each reason why not is said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.database import Database, now
from console_core.rollout.cutover import VERDICT_AGE, gate
from console_core.runs.ledger import Ledger
from console_core.runs.types import EMBEDDING, Counts, Lane, Progress, Run, RunState, Verb
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point

MODEL = "0123456789abcdef"
GREEN: Mapping[str, Any] = {"verdict": "green", "points": 4, "checks": [], "fingerprint": MODEL}
RED: Mapping[str, Any] = {
    "fingerprint": MODEL,
    "verdict": "red",
    "points": 4,
    "checks": [{"name": "ids", "ok": False}, {"name": "norms", "ok": True}, {"name": "sample", "ok": False}],
}


@dataclass
class Site:
    """A real store with the collection "new" of four points, and a real ledger."""

    store: QdrantEmbedded
    ledger: Ledger

    def add(self, *numbers: int) -> None:
        self.store.upsert("new", [Point(n, np.eye(8, dtype=np.float32)[n % 8], {}) for n in numbers])

    def submit(self, kind: str, target: str = "new", spec: Mapping[str, Any] | None = None) -> Run:
        return self.ledger.submit(
            kind=kind,
            lane=Lane.STORE,
            title=kind,
            target=target,
            spec=spec or {},
            actor="olga",
            selected=4,
            writes=kind in EMBEDDING,
        )

    def ended(
        self,
        kind: str,
        to: RunState = RunState.SUCCEEDED,
        result: Mapping[str, Any] | None = None,
        **about: Any,
    ) -> Run:
        run = self.submit(kind, **about)
        assert self.ledger.claim(Lane.STORE, "a test", only=run.id)
        self.ledger.record(run.id, Progress("4", Counts(4, 4), result=result))
        return self.ledger.finish(run.id, to, reason="because")

    def reasons(self, **more: Any) -> tuple[str, ...]:
        found = gate(self.ledger, self.store, "new", **more)
        assert found.open == (not found.reasons)
        return found.reasons


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    store = QdrantEmbedded(tmp_path / "store")
    found = Site(store, Ledger(database))
    store.create("new", CollectionSpec(8, stamp=ModelStamp("grid", MODEL)))
    found.add(1, 2, 3, 4)
    yield found
    store.close()
    database.close()


def test_a_green_verdict_on_what_is_there_now_opens_the_gate(site: Site) -> None:
    site.ended("reembed")
    verify = site.ended("verify", result=GREEN)
    found = gate(site.ledger, site.store, "new")
    assert (found.open, found.reasons) == (True, ())
    assert found.verdict == verify


def test_a_collection_that_an_application_built_itself_needs_a_verdict_and_nothing_else(site: Site) -> None:
    site.ended("verify", result=GREEN)
    assert site.reasons() == ()


def test_what_was_never_verified_stays_closed(site: Site) -> None:
    site.ended("reembed")
    assert site.reasons() == ("new has not been verified.",)


@pytest.mark.parametrize("end", [RunState.FAILED, RunState.INTERRUPTED])
def test_a_verification_that_did_not_end_well_is_none(site: Site, end: RunState) -> None:
    site.ended("verify", to=end)
    assert site.reasons() == ("new has not been verified.",)


def test_a_red_verdict_names_the_checks_that_failed(site: Site) -> None:
    verify = site.ended("verify", result=RED)
    assert site.reasons() == (f"Verification {verify.id} is red: ids, sample.",)


def test_the_newest_verdict_counts(site: Site) -> None:
    site.ended("verify", result=GREEN)
    red = site.ended("verify", result=RED)
    assert site.reasons() == (f"Verification {red.id} is red: ids, sample.",)
    site.ended("verify", result=GREEN)
    assert site.reasons() == ()


@pytest.mark.parametrize(
    "end", [RunState.QUEUED, RunState.RUNNING, RunState.FAILED, RunState.INTERRUPTED, RunState.PAUSED]
)
def test_a_run_that_is_not_over_keeps_the_gate_closed(site: Site, end: RunState) -> None:
    site.ended("verify", result=GREEN)
    run = site.submit("reembed")
    if end is not RunState.QUEUED:
        assert site.ledger.claim(Lane.STORE, "a test", only=run.id)
    if end is RunState.PAUSED:
        site.ledger.ask(run.id, Verb.PAUSE, "olga")
    if end not in (RunState.QUEUED, RunState.RUNNING):
        site.ledger.finish(run.id, end, reason="because")
    assert f"Run {run.id} is {end} and still writes to new." in site.reasons()


def test_books_that_do_not_add_up_keep_the_gate_closed_until_a_later_build_is_right(site: Site) -> None:
    invalid = site.ended("reembed", to=RunState.INVALID)
    site.ended("verify", result=GREEN)
    assert site.reasons() == (f"The books of run {invalid.id} do not add up.",)
    site.ended("reembed")
    site.ended("verify", result=GREEN)
    assert site.reasons() == ()


def test_a_build_after_the_verdict_makes_it_stale(site: Site) -> None:
    site.ended("verify", result=GREEN)
    site.ended("reembed")
    assert site.reasons() == ("new was written to after it was verified.",)


def test_a_build_that_ended_while_it_was_verified_makes_the_verdict_stale(site: Site) -> None:
    build = site.submit("reembed")
    assert site.ledger.claim(Lane.STORE, "a test", only=build.id)
    verify = site.submit("verify")
    assert site.ledger.claim(Lane.STORE, "a test", only=verify.id)
    site.ledger.finish(build.id, RunState.SUCCEEDED, reason="done")
    site.ledger.record(verify.id, Progress("4", Counts(4, 4), result=GREEN))
    site.ledger.finish(verify.id, RunState.SUCCEEDED, reason="done")
    assert site.reasons() == ("new was written to after it was verified.",)


def test_points_that_somebody_else_added_make_the_verdict_stale(site: Site) -> None:
    site.ended("verify", result=GREEN)
    site.add(5)
    assert site.reasons() == ("new has 5 points, but 4 when it was verified.",)


def test_a_collection_that_was_deleted_or_made_anew_by_another_model_lost_its_verdict(site: Site) -> None:
    site.ended("verify", result=GREEN)
    site.store.drop("new")
    assert site.reasons() == ("new was deleted after it was verified.",)
    site.store.create("new", CollectionSpec(8, stamp=ModelStamp("another", "f" * 16)))
    site.add(1, 2, 3, 4)
    assert site.reasons() == ("new is not of the model that was verified any more.",)


def test_a_verdict_of_yesterday_says_nothing_about_today(site: Site) -> None:
    verify = site.ended("verify", result=GREEN)
    assert site.reasons(at=now() + VERDICT_AGE - timedelta(minutes=1)) == ()
    assert site.reasons(at=now() + VERDICT_AGE + timedelta(minutes=1)) == (
        f"Verification {verify.id} is older than 24 hours.",
    )


def test_the_age_at_which_a_verdict_goes_stale_can_be_set(site: Site) -> None:
    verify = site.ended("verify", result=GREEN)
    week = timedelta(hours=168)
    assert site.reasons(at=now() + timedelta(days=6), age=week) == ()
    assert site.reasons(at=now() + timedelta(days=8), age=week) == (
        f"Verification {verify.id} is older than 168 hours.",
    )
    assert site.reasons(at=now() + timedelta(hours=2), age=timedelta(hours=1)) == (
        f"Verification {verify.id} is older than 1 hour.",
    )


def test_a_verification_of_what_was_being_written_says_so(site: Site) -> None:
    site.ended("verify", result={**GREEN, "steady": False})
    assert site.reasons() == ("new was written to while it was verified.",)


def test_a_repair_after_the_verdict_makes_it_stale_and_one_that_is_not_over_keeps_the_gate_closed(site: Site) -> None:
    site.ended("verify", result=GREEN)
    repair = site.submit("repair")
    assert site.reasons() == (f"Run {repair.id} is queued and still writes to new.",)
    assert site.ledger.claim(Lane.STORE, "a test", only=repair.id)
    site.ledger.finish(repair.id, RunState.SUCCEEDED, reason="done")
    assert site.reasons() == ("new was written to after it was verified.",)


def test_every_reason_is_said_at_once(site: Site) -> None:
    verify = site.ended("verify", result=RED)
    site.add(5)
    run = site.submit("reembed")
    assert site.reasons(at=now() + timedelta(days=2)) == (
        f"Run {run.id} is queued and still writes to new.",
        f"Verification {verify.id} is red: ids, sample.",
        "new has 5 points, but 4 when it was verified.",
        f"Verification {verify.id} is older than 24 hours.",
    )


def test_losses_alone_can_be_accepted_and_nothing_else_with_them(site: Site) -> None:
    lossy = {
        "verdict": "red",
        "points": 4,
        "fingerprint": MODEL,
        "replaces": "old",
        "losses": 3,
        "checks": [{"name": "losses", "ok": False}],
    }
    site.ended("verify", result=lossy)
    found = gate(site.ledger, site.store, "new", serving="old")
    assert (found.open, found.acceptable, found.losses) == (False, True, 3)
    assert found.reasons == ("3 pictures that old finds would not be found any more.",)
    site.add(5)
    found = gate(site.ledger, site.store, "new", serving="old")
    assert (found.open, found.acceptable, len(found.reasons)) == (False, False, 2)


def test_a_verdict_that_could_compare_nothing_opens_no_gate_and_can_be_accepted(site: Site) -> None:
    blind = {
        "verdict": "red",
        "points": 4,
        "fingerprint": MODEL,
        "replaces": "old",
        "losses": 0,
        "checks": [{"name": "losses", "ok": False}],
    }
    site.ended("verify", result=blind)
    found = gate(site.ledger, site.store, "new", serving="old")
    assert (found.open, found.acceptable, found.losses) == (False, True, 0)
    assert found.reasons == (
        "None of the pictures that old finds is in the catalog, so that nobody knows which would be lost.",
    )


@pytest.mark.parametrize(("filters", "is_open"), [({"user_id": ["u"]}, False), ({}, True)])
def test_what_was_ingested_since_closes_the_gate_to_a_part_of_the_catalog_and_follows_to_the_whole(
    site: Site, filters: dict[str, Any], is_open: bool
) -> None:
    part = {"part": {"filters": filters, "keys": None}}
    site.ended("ingest", target="old")
    site.ended("verify", result={**GREEN, "replaces": "old"}, spec=part)
    assert gate(site.ledger, site.store, "new", serving="old").open
    site.ended("ingest", target="old")
    found = gate(site.ledger, site.store, "new", serving="old")
    assert (found.open, found.acceptable) == (is_open, False)
    assert is_open or "Pictures were ingested into old" in found.reasons[0]
