"""Views over a column of an application's table: all that is needed to make them again as they were."""

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from console_core.vectorstore.pgvector_server import Connection
from console_core.vectorstore.pgvector_tables import Home
from console_core.vectorstore.switching import Foreign

_VIEWS = """
WITH RECURSIVE dependent (oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = %(table)s::regclass AND d.refobjsubid = %(number)s AND r.ev_class <> d.refobjid
  UNION
    SELECT r.ev_class, b.depth + 1 FROM dependent b
           JOIN pg_catalog.pg_depend d ON d.refobjid = b.oid AND d.refclassid = 'pg_class'::regclass
                                      AND d.classid = 'pg_rewrite'::regclass
           JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> b.oid
)
SELECT n.nspname, c.relname, pg_catalog.pg_get_viewdef(c.oid), coalesce(c.reloptions, '{}'),
       pg_catalog.pg_get_userbyid(c.relowner), c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user),
       ARRAY(SELECT jsonb_build_array(CASE g.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(g.grantee) END,
                                      g.privilege_type, g.is_grantable)
             FROM pg_catalog.aclexplode(c.relacl) g),
       pg_catalog.obj_description(c.oid, 'pg_class'),
       ARRAY(SELECT jsonb_build_array(a.attname, pg_catalog.col_description(c.oid, a.attnum))
             FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND pg_catalog.col_description(c.oid, a.attnum) IS NOT NULL),
       CASE WHEN c.relkind <> 'v' THEN 'the materialized view '
            WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid) THEN 'the triggers of the view '
            WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
                THEN 'the rules of the view '
            WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = c.oid AND (a.attacl IS NOT NULL OR a.atthasdef))
                THEN 'the columns of the view, which have grants or defaults of their own: '
            ELSE (SELECT min(pg_catalog.pg_describe_object(d.classid, d.objid, 0)) || ', which is bound to the view '
                  FROM pg_catalog.pg_depend d
                  WHERE (d.refclassid, d.refobjid) IN (('pg_class'::regclass, c.oid), ('pg_type'::regclass, c.reltype))
                    AND d.deptype = 'n' AND d.classid <> 'pg_rewrite'::regclass)
       END,
       pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       pg_catalog.pg_has_role(c.relowner, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER'
                                               ELSE 'SET' END)
       AND pg_catalog.has_schema_privilege(c.relowner, n.oid, 'CREATE')
       OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
FROM (SELECT oid, max(depth) AS depth FROM dependent GROUP BY oid) dependent
     JOIN pg_catalog.pg_class c ON c.oid = dependent.oid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> %(besides)s
ORDER BY dependent.depth, n.nspname, c.relname
"""


@dataclass(frozen=True, slots=True)
class View:
    """A view. `grants` are role ("" for everybody), privilege, and whether it may be passed on. `problem` names what
    of it could not be made again, and is "" where all can. `foreign` says why our role may not make it again, or is
    None where it may."""

    schema: str
    name: str
    definition: str
    options: tuple[str, ...]
    owner: str
    other_owner: bool
    grants: tuple[tuple[str, str, bool], ...]
    comment: str | None
    comments: tuple[tuple[str, str], ...]
    problem: str
    foreign: Foreign | None

    @property
    def path(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.name}"


def views_of(connection: Connection, home: Home, besides: str) -> list[View]:
    """Views that read the searched column, and views over those, each behind those that it reads. Those of the schema
    `besides` are left out: they belong to a column and not to a name."""
    number = home.attributes[home.settings.vector].number
    parameters = {"table": home.table.as_string(), "number": number, "besides": besides}
    return [_view(row) for row in connection.execute(_VIEWS, parameters)]


def _view(row: tuple[Any, ...]) -> View:
    schema, name, definition, options, owner, other_owner, grants, comment, comments, problem, *may = row
    may_drop, may_make, may_give = may
    what, foreign = f"the view {schema}.{name}", None
    if not may_drop or (other_owner and not may_give):
        foreign = Foreign.owned(what, owner)
    elif not may_make:
        foreign = Foreign.closed(what, schema)
    return View(
        schema=schema,
        name=name,
        definition=definition,
        options=tuple(options),
        owner=owner,
        other_owner=other_owner,
        grants=tuple((role, privilege, grantable) for role, privilege, grantable in grants),
        comment=comment,
        comments=tuple((column, text) for column, text in comments),
        problem=f"{problem}{schema}.{name}" if problem else "",
        foreign=foreign,
    )


def made_again(connection: Connection, view: View) -> None:
    """Make a view that was dropped, with its owner, grants and comments. Its text names columns as they are now."""
    options = f"WITH ({', '.join(view.options)}) " if view.options else ""
    create = sql.SQL("CREATE VIEW {} ").format(view.path).as_string(connection)
    connection.execute(f"{create}{options}AS {view.definition}".encode())
    for role, privilege, grantable in view.grants:
        if role != view.owner:
            connection.execute(
                sql.SQL("GRANT {} ON {} TO {} {}").format(
                    sql.SQL(privilege),
                    view.path,
                    sql.Identifier(role) if role else sql.SQL("PUBLIC"),
                    sql.SQL("WITH GRANT OPTION" if grantable else ""),
                )
            )
    if view.comment:
        connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view.path, sql.Literal(view.comment)))
    for column, text in view.comments:
        path = sql.Identifier(view.schema, view.name, column)
        connection.execute(sql.SQL("COMMENT ON COLUMN {} IS {}").format(path, sql.Literal(text)))
    if view.other_owner:
        connection.execute(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view.path, sql.Identifier(view.owner)))
