"""Who did what: whose entries, and about what."""

from console_core.runs.ledger import Ledger


def test_the_journal_is_read_by_actor_and_names_actors_and_subjects(ledger: Ledger) -> None:
    assert (ledger.journal_actors(), ledger.journal_subjects()) == ([], [])
    for actor, subject in (("olga", "images"), ("emil", "r-1"), ("olga", "r-1"), ("olga", "")):
        ledger.note(actor, "verify", subject)
    assert ledger.journal_actors() == ["emil", "olga"]
    assert ledger.journal_subjects() == ["r-1", "images"]
    assert ledger.journal_subjects(limit=1) == ["r-1"]
    assert [entry.subject for entry in ledger.journal(actor="olga")] == ["", "r-1", "images"]
    assert [entry.actor for entry in ledger.journal(actor="emil", subject="r-1")] == ["emil"]
    assert ledger.journal(actor="emil", subject="images") == []
