"""Functions that speak of an application's searched vector column: which of them follow when another takes its name.

What names a length of vectors in a body is its text only, so a function is rewritten where nothing else can be meant.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from console_core.errors import StoreRefused
from console_core.vectorstore.pgvector_server import Connection
from console_core.vectorstore.pgvector_tables import Home

_FUNCTIONS = """
SELECT n.nspname, p.proname, pg_catalog.pg_get_functiondef(p.oid), l.lanname,
       ARRAY(SELECT setting FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%%'),
       CASE WHEN pg_catalog.pg_has_role(p.proowner, 'USAGE') THEN ''
            ELSE pg_catalog.pg_get_userbyid(p.proowner) END,
       pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       ARRAY(SELECT ARRAY[s.nspname, c.relname, a.attname]
             FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
                  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
               AND d.refobjsubid > 0)::text[],
       ARRAY(SELECT DISTINCT ARRAY[s.nspname, c.relname]
             FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
             WHERE t.tgfoid = p.oid AND NOT t.tgisinternal)::text[]
FROM pg_catalog.pg_proc p
     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND l.lanname NOT IN ('internal', 'c') AND n.nspname <> ALL(%s)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
"""
_OTHERS = """
SELECT n.nspname, c.relname, a.attname
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind = ANY('{r,p,v,m,f}') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname <> ALL(%s)
  AND t.typname IN ('vector', 'halfvec') AND a.atttypmod IN (%s, -1)
"""
_HOLDERS = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%s) AND c.relkind = ANY('{r,p,v,m,f}') AND n.nspname <> ALL(%s)
"""

Column = tuple[str, str, str]
"""A schema, a table and a column."""

_REWRITTEN = ("sql", "plpgsql")
"""Languages whose text is rewritten."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the application, as it can be made again. `path` are the schemas that it looks for tables in, as
    far as they are known. `owner` is the role that alone may replace it, "" where ours may, in whose `schema` we may
    make functions or not. `columns` are those that PostgreSQL binds its body to."""

    schema: str
    name: str
    text: str
    language: str
    path: tuple[str, ...]
    owner: str
    may_make: bool
    columns: frozenset[Column]
    fires_on: frozenset[tuple[str, str]]

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def bound(self) -> bool:
        return re.search(r"^AS \$", self.text, re.MULTILINE) is None

    def for_length(self, before: int, after: int) -> str:
        """Its text with the length of vectors that it names changed."""
        return re.sub(rf"\b(vector|halfvec)\s*\(\s*{before}\s*\)", rf"\g<1>({after})", self.text)

    def names_length(self, length: int) -> bool:
        return self.for_length(length, length + 1) != self.text

    def has_number(self, length: int) -> bool:
        """Whether a length stands in its text otherwise than as a vector's type, so that it is not changed with it."""
        bare = re.sub(r"\b(COST|ROWS) [\d.]+", "", self.for_length(length, 0))  # the planner's estimates
        return re.search(rf"(?<![\w$.]){length}(?!\w|\.\d)", bare) is not None

    def speaks_of(self, name: str) -> bool:
        return re.search(rf"(?<![\w$]){_spelled(name)}(?![\w$])", self.text, re.IGNORECASE) is not None

    def is_about(self, column: Column, holders: Sequence[str]) -> bool | None:
        """Whether it is about a column, `holders` being the schemas with a table of that name; None: it may be."""
        schema, relation, name = column
        if self.bound:
            return column in self.columns
        if not self.speaks_of(name):
            return False
        if (schema, relation) in self.fires_on:  # its body says NEW and OLD
            return True
        quoted = {name: rf'"?{_spelled(name)}"?' for name in (schema, relation)}
        if re.search(rf"(?<![\w$]){quoted[schema]}\s*\.\s*{quoted[relation]}(?![\w$])", self.text, re.IGNORECASE):
            return True
        if not re.search(rf'(?<![\w$.])(?<!\.\s)(?<!\.")"?{_spelled(relation)}(?![\w$])', self.text, re.IGNORECASE):
            return False
        if len(holders) < 2:
            return True
        return next((place == schema for place in self.path if place in holders), None)


@dataclass(frozen=True, slots=True)
class Speaking:
    """The functions that speak of a searched column: those that `follow` another one, and those `left` as they are,
    because they speak of other vectors of the same length too, or of a table of which there are several. `numbers` have
    the length where it is not changed: as a bare number, or in a language that is not rewritten."""

    follow: tuple[Function, ...]
    left: tuple[Function, ...]
    numbers: tuple[Function, ...]


def functions_of(connection: Connection, home: Home, length: int, besides: str, views: Iterable[str]) -> Speaking:
    """The functions that are named in the settings, or else those that speak of the table and the searched column.

    The schema `besides` is the console's. `views`, as they are shown, follow the column and are no others.

    Raises:
        StoreRefused: one of the settings does not exist.
    """
    outside = ["pg_catalog", "information_schema", besides]
    found = [_function(row) for row in connection.execute(_FUNCTIONS, (outside,))]
    wanted = home.settings.functions
    for name in wanted:
        if not any(name in (one.name, one.shown) for one in found):
            raise StoreRefused(
                f"[store.tables.{home.settings.name}] names the function {name}, which the database does not have.",
                "Correct functions in that section, or leave it out to have them found.",
            )
    if wanted:
        named = [one for one in found if one.name in wanted or one.shown in wanted]
        ours = [one for one in named if one.language in _REWRITTEN]
        return Speaking(
            tuple(one for one in ours if one.bound or one.names_length(length)),
            (),
            tuple(one for one in named if one.has_number(length) or (one not in ours and one.names_length(length))),
        )
    searched = home.schema, home.relation, home.settings.vector
    following = set(views)
    rows = [(schema, table, column) for schema, table, column in connection.execute(_OTHERS, (outside, length))]
    others = [row for row in rows if row != searched and f"{row[0]}.{row[1]}" not in following]
    tables = list({table for _, table, _ in (searched, *others)})
    holders = defaultdict[str, list[str]](list)
    for schema, table in connection.execute(_HOLDERS, (tables, outside)):
        holders[table].append(schema)
    follow, left, numbers = list[Function](), list[Function](), list[Function]()
    for one in found:
        told, about = one.names_length(length), one.is_about(searched, holders[home.relation])
        if about is False:
            continue
        rewritten = one.language in _REWRITTEN
        if rewritten and (one.bound or told):
            unclear = told and any(one.is_about(other, holders[other[1]]) is not False for other in others)
            (left if unclear or about is None else follow).append(one)
        if one not in left and (one.has_number(length) or (told and not rewritten)):
            numbers.append(one)
    return Speaking(tuple(follow), tuple(left), tuple(numbers))


def _spelled(name: str) -> str:
    """A pattern for a name as it is, or as it stands between double quotes, where its own are doubled."""
    return "(?:" + re.escape(name) + "|" + re.escape(name.replace('"', '""')) + ")"


def _function(row: tuple[Any, ...]) -> Function:
    schema, name, text, language, path, owner, may_make, columns, fires_on = row
    told = path[0].partition("=")[2] if path else schema
    places = tuple(place.strip().strip('"') for place in told.split(","))
    bound = frozenset((place, table, column) for place, table, column in columns)
    tables = frozenset((place, table) for place, table in fires_on)
    return Function(schema, name, text, language, places, owner, may_make, bound, tables)
