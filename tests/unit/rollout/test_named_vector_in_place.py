"""A named vector shares its points, so its name cannot pass to a collection that has points of its own."""

import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.vectorstore.types import CollectionSpec
from tests.conftest import OPERATOR


def test_a_named_vector_is_not_recreated_in_place_and_stays_as_it_is(console: Console) -> None:
    console.store.create("shop", CollectionSpec(4, vector_name="clip"))
    console.store.create("shop@siglip", CollectionSpec(4))
    before = console.store.collections()
    with pytest.raises(Refused, match="shop@clip is a named vector of shop, whose name nothing else can take"):
        command(console, OPERATOR, "recreate", collection="shop@clip", target="images__demo-clip", typed="shop@clip")
    assert console.store.collections() == before
