"""The options that say how a new collection is indexed and quantized."""

from typing import Annotated

import typer

from console_core.vectorstore.tuning import EF_CONSTRUCT, INT8, KINDS, NONE, QUANTILE, M, Tuning, quantization_of

EdgesOfANode = Annotated[
    int | None,
    typer.Option("--m", min=M[0], max=M[1], help="HNSW: edges of a node; as the former collection unless given."),
]
Candidates = Annotated[
    int | None,
    typer.Option(
        "--ef-construct",
        min=EF_CONSTRUCT[0],
        max=EF_CONSTRUCT[1],
        help="HNSW: candidates looked at while building; as the former collection unless given.",
    ),
]
Int8 = Annotated[bool, typer.Option("--int8", help="Quantize to INT8: a quarter of the memory for searches.")]
Quantization = Annotated[
    str, typer.Option(help=f"{NONE}, {', '.join(KINDS)}; as the former collection unless given.", show_default=False)
]
Quantile = Annotated[
    float | None,
    typer.Option(min=QUANTILE[0], max=QUANTILE[1], help="INT8: the share of numbers that is not cut off (0.99)."),
]
AlwaysRam = Annotated[bool, typer.Option("--always-ram", help="Keep the quantized vectors in memory at all times.")]


def tuning_of(
    m: int | None, ef_construct: int | None, int8: bool, quantization: str, quantile: float | None, always_ram: bool
) -> Tuning:
    """What the options ask for.

    Raises:
        typer.BadParameter: they contradict each other, or there is no such quantization.
    """
    kind = quantization or (INT8 if int8 else "")
    if kind and kind != NONE and kind not in KINDS:
        raise typer.BadParameter(f"{kind} is none of: {NONE}, {', '.join(KINDS)}.", param_hint="'--quantization'")
    if int8 and kind != INT8:
        raise typer.BadParameter(f"It contradicts --quantization {kind}.", param_hint="'--int8'")
    if quantile is not None and kind != INT8:
        raise typer.BadParameter("It belongs to --int8.", param_hint="'--quantile'")
    if always_ram and kind in ("", NONE):
        raise typer.BadParameter("It belongs to a quantization, such as --int8.", param_hint="'--always-ram'")
    index = {name: value for name, value in (("m", m), ("ef_construct", ef_construct)) if value is not None}
    if not kind:
        return Tuning(index)
    wanted = quantization_of(kind) | ({} if quantile is None else {"quantile": quantile})
    return Tuning(index, wanted | ({"always_ram": True} if always_ram else {}))
