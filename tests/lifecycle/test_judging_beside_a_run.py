"""Two people ask and judge while a collection is built: no error, no answer of another model, no word lost."""

import threading
from collections.abc import Callable

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.migration.findings import Request
from console_core.querylab.search import ask
from console_core.runs.types import RunState
from tests.conftest import OPERATOR, fill, finish

COLUMNS = ("images", "images__demo-siglip")
TEXTS = [f"square {number}" for number in range(1, 13)]


def test_two_people_ask_and_judge_at_once_while_a_collection_is_built(console: Console) -> None:
    fill(console, "images__demo-siglip", "demo-siglip")
    command(console, OPERATOR, "save_query_set", query_set="squares", queries=[query(text) for text in TEXTS])
    asked = finish(console, command(console, OPERATOR, "ask_query_set", query_set="squares", columns=COLUMNS))
    snapshot = (asked.result or {})["snapshot"]
    evaluation = command(
        console, OPERATOR, "begin_evaluation", snapshot=snapshot, columns=(0, 1), protocol=Protocol(k=5, seed=4)
    )
    alone = {text: ask(console.store, console.models, COLUMNS, text, limit=5) for text in TEXTS}
    ended, wrong, given = threading.Event(), [], dict.fromkeys(("ann", "ben"), 0)

    def person(name: str) -> None:
        turn = 0
        while not ended.is_set() or given[name] < 20:
            text = TEXTS[turn % len(TEXTS)]
            found = ask(console.store, console.models, COLUMNS, text, limit=5)
            if [column.keys for column in found.columns] != [column.keys for column in alone[text].columns]:
                wrong.append(text)
            task = console.lab.desk(evaluation).next_task(console.lab.graded.of(evaluation.id, name))
            if task is not None:
                told = {"query": task.query.id, "key": task.key, "grade": turn % 4, "judge": name}
                command(console, Actor(name, "judge"), "judge", evaluation=evaluation.id, **told)
                given[name] += 1
            turn += 1

    failed = [_caught(person, name) for name in given]
    request = Request("images", "demo-siglip", target="images__again", batch_size=4)
    started = command(console, OPERATOR, "start_migration", request=request)
    threads = [thread for thread, _ in failed]
    for thread in threads:
        thread.start()
    run = finish(console, started.run)
    ended.set()
    for thread in threads:
        thread.join(60)
    assert run.state is RunState.SUCCEEDED
    assert [errors for _, errors in failed if errors] == []
    assert wrong == []
    for name, number in given.items():
        assert len(console.lab.judgements.of(evaluation.id, name)) == number >= 20


def _caught(work: Callable[[str], None], name: str) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that does it, and where its error goes."""
    errors: list[BaseException] = []

    def act() -> None:
        try:
            work(name)
        except BaseException as error:
            errors.append(error)

    return threading.Thread(target=act), errors
