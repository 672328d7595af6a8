"""The command that lets a collection answer a share of an alias' traffic before the cut-over."""

from typing import Annotated, Any

import typer

from console_core.cli.foreground import actor_of, opened
from console_core.cli.output import Json, show
from console_core.commands import command
from console_core.console import Console
from console_core.errors import AliasConflict
from console_core.rollout.cutover import gate
from console_core.rollout.share import Share
from console_core.rollout.sharing_out import pictures_only


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(share)


def share(
    alias: str,
    to: Annotated[str, typer.Option("--to", help="The verified collection that gets the share.")] = "",
    percent: Annotated[float | None, typer.Option("--percent", help="How much of the traffic, from 0 to 100.")] = None,
    off: Annotated[bool, typer.Option("--off", help="End the share: everybody gets what the alias serves.")] = False,
    key: Annotated[str, typer.Option("--key", help="Say what this user, or session, gets.")] = "",
    as_json: Json = False,
) -> None:
    """Show which share of an alias' traffic another collection answers; give, raise, lower or end it."""
    if off and (percent or 0) > 0:
        raise typer.BadParameter("Give either --off or --percent.")
    if to and percent is None and not off:
        raise typer.BadParameter("Say how much with --percent.")
    wanted = 0.0 if off else percent
    with opened(owner="" if wanted is None else "embedding-console share") as console:
        if wanted is not None:
            command(console, actor_of(console), "share", alias=alias, to=to, percent=wanted)
        found = _told(console, alias, key)
    show(found, as_json, list(_lines(found)))


def _told(console: Console, alias: str, key: str) -> dict[str, Any]:
    serving = console.store.aliases().get(alias)
    if serving is None:
        raise AliasConflict(f"There is no alias {alias}.", "`embedding-console collections` lists them.")
    given, over = console.router.standing(alias)
    found: dict[str, Any] = {"alias": alias, "serves": serving, **_of(given), "ended": over, "warnings": []}
    if given is not None:
        parts = (console.ledger, console.store, given.candidate)
        found["warnings"] = list(gate(*parts, serving=serving, age=console.verdict_age).reasons)
        if only := pictures_only(console.store, console.models.cards, given.candidate):
            found["warnings"].append(only)
    if key:
        routed = console.router.route(alias, key)
        found["caller"] = {"key": key, "bucket": routed.bucket, "collection": routed.collection if given else serving}
    return found


def _of(share: Share | None) -> dict[str, Any]:
    if share is None:
        return {"to": None, "percent": 0.0, "by": None, "at": None}
    return {"to": share.candidate, "percent": share.percent, "by": share.actor, "at": share.at.isoformat()}


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['alias']} serves {found['serves']}."]
    if found["to"]:
        lines.append(
            f"{found['percent']:g} % of the callers that say who they are get {found['to']} instead, "
            f"since {found['at'][:16].replace('T', ' ')} UTC by {found['by']}."
        )
    else:
        lines.append(f"Nothing of its traffic is shared out. {found['ended']}".rstrip())
    lines += [f"Mind: {reason}" for reason in found["warnings"]]
    if caller := found.get("caller"):
        lines.append(f"{caller['key']} is in bucket {caller['bucket']:,} of 10,000 and gets {caller['collection']}.")
    return lines
