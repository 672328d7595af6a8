"""What a person can ask of a collection's encoder: to be checked before it is compared with another."""

from console_core.commands.actor import Actor
from console_core.commands.looking import look_once
from console_core.console import Console
from console_core.errors import Refused
from console_core.querylab.encoder_check import KIND, EncoderPlan
from console_core.runs.types import Lane, Run


def check_encoder(console: Console, actor: Actor, *, collection: str, captions: str | None = None) -> Run:
    """`captions` is the payload field that describes pictures; None: a usual one, "": texts are left out.

    The same check that waits or is at work already is returned.
    """
    info = console.store.describe(collection)
    if info.stamp is None:
        raise Refused(
            f"{info.name} does not say which model made it, so there is no encoder to check.",
            "Stamp it on the Collections page first.",
        )
    spec = EncoderPlan(info.name, info.stamp.model, captions).as_json()
    return look_once(
        console,
        actor,
        KIND,
        info.name,
        title=f"Encoder check of {info.name}",
        lane=Lane.ACCELERATOR,
        selected=lambda: info.points,
        spec=spec,
    )
