"""In which browsers each judge of an evaluation judges, so that nobody goes on in another's name without noticing."""

from sqlalchemy import Connection, func, insert, select

from console_core.database import Database, metadata, now
from console_core.errors import Refused
from console_core.judging.judgement_tables import judge_browsers, judgements, votes

_B = judge_browsers.c


class JudgeBrowsers:
    """Which browsers a name was taken up in. It keeps apart people who share a console; it proves nothing about them.

    The first browser that judges as somebody has the name without being asked; any other takes it up expressly. Safe
    from several threads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before this table was known
            metadata.create_all(connection, tables=[judge_browsers])

    def is_others(self, evaluation: str, judge: str, browser: str) -> bool:
        """Whether somebody judges as this judge already, and not in this browser."""
        with self._database.reading() as connection:
            return not _has(connection, evaluation, judge, browser) and _is_used(connection, evaluation, judge)

    def names(self, evaluation: str, browser: str) -> set[str]:
        """Under which names this browser judges."""
        asked = select(_B.judge).where(_B.evaluation == evaluation, _B.browser == browser)
        with self._database.reading() as connection:
            return set(connection.scalars(asked))

    def hold(self, evaluation: str, judge: str, browser: str, *, actor: str) -> None:
        """Go on as a judge: in a browser that has the name, or with a name that nobody used here.

        Raises:
            Refused: somebody judges as this judge already, in another browser.
        """
        with self._database.reading() as connection:
            if _has(connection, evaluation, judge, browser):
                return
        with self._database.transaction() as connection:  # alone: of two browsers at once, one has the name
            if _is_used(connection, evaluation, judge) and not _has(connection, evaluation, judge, browser):
                raise Refused(
                    f"Somebody has judged here as {judge} already, in another browser.",
                    f"Say that you are {judge}, or judge under a name of your own.",
                )
            _add(connection, evaluation, judge, browser, actor)

    def take_up(self, evaluation: str, judge: str, browser: str, *, actor: str) -> None:
        """Go on as a judge in one more browser. Twice is harmless."""
        with self._database.transaction() as connection:
            _add(connection, evaluation, judge, browser, actor)


def _add(connection: Connection, evaluation: str, judge: str, browser: str, actor: str) -> None:
    if not _has(connection, evaluation, judge, browser):
        told = {"evaluation": evaluation, "judge": judge, "browser": browser, "actor": actor, "at": now()}
        connection.execute(insert(judge_browsers).values(**told))


def _has(connection: Connection, evaluation: str, judge: str, browser: str) -> bool:
    asked = select(_B.at).where(_B.evaluation == evaluation, _B.judge == judge, _B.browser == browser)
    return connection.execute(asked).first() is not None


def _is_used(connection: Connection, evaluation: str, judge: str) -> bool:
    """Whether another browser has the name, or words are kept under it: of a file, or of former times."""
    return any(
        connection.scalar(
            select(func.count()).select_from(table).where(table.c.evaluation == evaluation, table.c.judge == judge)
        )
        for table in (judge_browsers, judgements, votes)
    )
