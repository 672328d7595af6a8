"""The ways to search a collection, as people read them."""

from console_core.vectorstore.ways import Search

WAYS = {
    Search.USUAL: "As usual",
    Search.EXACT: "Exact",
    Search.UNQUANTIZED: "Unquantized",
    Search.WITHOUT_RESCORING: "Without rescoring",
}
MEANINGS = (
    "**As usual**: through the index, ranked by whole vectors. **Exact**: every whole vector is compared. "
    "**Unquantized**: through the index, by whole vectors only. **Without rescoring**: ranked by rounded vectors. "
    "Where nothing is quantized, or there is no index, several of them are one."
)
