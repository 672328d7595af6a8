"""What columns of a snapshot are called on the screen."""

from collections.abc import Sequence

from console_core.judging.asked_columns import AskedColumn


def column_titles(columns: Sequence[AskedColumn]) -> list[str]:
    """The model of each column, and its way where that is not the usual one; and what was asked, where another column
    has the same."""
    titles = [column.title for column in columns]
    return [
        title if titles.count(title) == 1 else f"{title} · {column.asked}"
        for title, column in zip(titles, columns, strict=True)
    ]
