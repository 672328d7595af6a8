"""Each variable of an application's own migration is answered for, and nothing is half taken over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.cards import CARDS
from console_core.embedding.registry import ModelCards
from console_core.errors import SettingsError
from console_core.migration.dot_env import known_in, variables_in
from console_core.migration.findings import Request
from console_core.migration.importing import imported
from console_core.migration.variables import NAMES, Here, Imported, Outcome
from console_core.vectorstore.types import CollectionInfo, ModelStamp

GUIDE = """
# the switch of the application
export SIGLIP_MODEL_NAME="ViT-B-16-SigLIP"
SIGLIP_PRETRAINED='webli'   # the usual weights
SIGLIP_EMBEDDING_DIM=768
SIGLIP_COLLECTION=image_assets_siglip
USE_SIGLIP=false
SIGLIP_ROLLOUT_PERCENTAGE=0
GPU_BATCH_SIZE=32
DEVICE=cuda
DATABASE_PASSWORD=hunter2
"""
STAMP = ModelStamp("clip-vit-b-32-openai", "f00dfeed")
SERVED = CollectionInfo("image_assets", 512, "cosine", 9, "green", STAMP, ("assets",), {}, {}, ())
FORMER = {"CLIP_MODEL_NAME": "ViT-B-32", "CLIP_PRETRAINED": "openai", "CLIP_COLLECTION": "image_assets"}


def here(**otherwise: str) -> Here:
    return Here(ModelCards((*DEMO_CARDS, *CARDS)), "assets", SERVED, **{"device": "cpu", **otherwise})


def outcomes(found: Imported) -> dict[str, Outcome]:
    return {answer.name: answer.outcome for answer in found.answers}


def wrong(text: str, **otherwise: str) -> dict[str, str]:
    """The variables that are wrong, with what is said of them; nothing of the others is taken over."""
    found = imported(variables_in(text, "the text"), here(**otherwise))
    assert (found.model, found.target, found.batch_size) == ("", "", None)
    assert Outcome.TAKEN not in outcomes(found).values()
    assert all(answer.remedy for answer in found.wrong)
    return {answer.name: f"{answer.message} {answer.remedy}" for answer in found.wrong}


def test_the_guides_variables_become_a_model_a_name_and_a_batch_size_and_each_is_answered_for() -> None:
    found = imported(variables_in(GUIDE, "the text"), here())
    assert outcomes(found) == {
        "SIGLIP_MODEL_NAME": Outcome.TAKEN,
        "SIGLIP_PRETRAINED": Outcome.TAKEN,
        "SIGLIP_EMBEDDING_DIM": Outcome.COMPARED,
        "SIGLIP_COLLECTION": Outcome.TAKEN,
        "USE_SIGLIP": Outcome.LEFT,
        "SIGLIP_ROLLOUT_PERCENTAGE": Outcome.LEFT,
        "GPU_BATCH_SIZE": Outcome.TAKEN,
        "DEVICE": Outcome.COMPARED,
    }
    assert found.into(Request("assets", "")) == Request(
        "assets", "siglip-vit-b-16-webli", target="image_assets_siglip", batch_size=32
    )
    told = "\n".join(map(str, found.answers))
    assert "hunter2" not in told
    assert told.count("share assets --to image_assets_siglip --percent 10") == 2, "off is no share, with any percentage"
    assert "says cpu: the two differ" in told


def test_quotes_comments_exports_and_the_marks_of_other_systems_are_understood() -> None:
    assert variables_in("\ufeffexport A = 'x # y'\r\nB=\"two words\" # no\r\n\r\n#C=3\r\nD=\nE\nA=last\r\n", "t") == {
        "A": "last",
        "B": "two words",
        "D": "",
        "E": "",
    }
    assert variables_in(b"A=${HOME}/x\nB='$HOME'", "t") == {"A": "${HOME}/x", "B": "$HOME"}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("USE_SIGLIP=true\nSIGLIP_ROLLOUT_PERCENTAGE=25", "25 %"),
        ("SIGLIP_ROLLOUT_PERCENTAGE=12.5%", "12.5 %"),
        ("USE_SIGLIP=on", "100 %"),
        ("USE_SIGLIP=false\nSIGLIP_ROLLOUT_PERCENTAGE=25", "no share"),
        ("USE_SIGLIP=true\nSIGLIP_ROLLOUT_PERCENTAGE=0", "no share"),
        ("USE_CLIP=true", "It is about what is served now"),
    ],
)
def test_a_switch_and_a_percentage_say_what_share_they_would_be_and_the_command_that_sets_it(
    text: str, share: str
) -> None:
    found = imported(variables_in(f"SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_COLLECTION=new\n{text}", "the text"), here())
    for answer in found.answers[2:]:
        assert answer.outcome is Outcome.LEFT, "a plan moves no traffic"
        assert share in answer.message
        sets = f"share assets --to new --percent {share.removesuffix(' %').replace('no share', '10')}"
        assert (sets in answer.remedy) == (answer.name != "USE_CLIP")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfeA\x00", "is not text"),
        ("A=1\nthis is no assignment = 'secret\n", "Line 2 of the text"),
        ("A=1\nTOKEN='secret\n", "Line 2 of the text"),
        ("A=1\n" * 300_000, "more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_env_file_is_refused_by_line_without_repeating_it(content: bytes | str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        variables_in(content, "the text")
    assert raised.value.remedy
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("SIGLIP_MODEL_NAME=ViT-B-16-SigLOP\nSIGLIP_PRETRAINED=webli", "SIGLIP_MODEL_NAME", "ViT-B-16-SigLIP"),
        ("SIGLIP_MODEL_NAME=ViT-B-32\nSIGLIP_COLLECTION=new", "SIGLIP_MODEL_NAME", "SIGLIP_PRETRAINED to one of"),
        ("SIGLIP_PRETRAINED=webli", "SIGLIP_PRETRAINED", "Set SIGLIP_MODEL_NAME"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_PRETRAINED=webli", "SIGLIP_MODEL_NAME", "have no tag"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_EMBEDDING_DIM=768", "SIGLIP_EMBEDDING_DIM", "vectors of 192 numbers"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_EMBEDDING_DIM=many", "SIGLIP_EMBEDDING_DIM", "not a whole number"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nGPU_BATCH_SIZE=0", "GPU_BATCH_SIZE", "from 1 to 1,024"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nGPU_BATCH_SIZE=-4", "GPU_BATCH_SIZE", "from 1 to 1,024"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nDEVICE=mps", "DEVICE", "auto, cpu, cuda"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nUSE_SIGLIP=maybe", "USE_SIGLIP", "true or false"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_ROLLOUT_PERCENTAGE=101", "SIGLIP_ROLLOUT_PERCENTAGE", "0 to 100"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_ROLLOUT_PERCENTAGE=0.001", "SIGLIP_ROLLOUT_PERCENTAGE", "two decimals"),
        ("SIGLIP_MODEL_NAME=demo-siglip\nSIGLIP_COLLECTION=${PREFIX}_new", "SIGLIP_COLLECTION", "Write the value"),
    ],
)
def test_a_bad_value_is_told_by_name_with_a_remedy_and_nothing_else_is_taken_over(
    text: str, name: str, says: str
) -> None:
    told = wrong(f"{text}\n")
    assert told.keys() == {name}
    assert says in told[name]


def test_a_model_may_be_named_by_its_key_or_by_an_architecture_that_has_one_tag_here() -> None:
    assert imported({"CLIP_MODEL_NAME": "demo-clip"}, here()).model == "demo-clip"
    assert imported({"CLIP_MODEL_NAME": "ViT-L-14-336"}, here()).model == "clip-vit-l-14-336-openai"


def test_of_two_models_the_one_that_serves_now_is_passed_over() -> None:
    found = imported(variables_in(GUIDE, "the text") | FORMER, here())
    assert found.model == "siglip-vit-b-16-webli"
    assert {outcomes(found)[name] for name in FORMER} == {Outcome.LEFT}
    by_model = {name: value for name, value in FORMER.items() if name != "CLIP_COLLECTION"}
    assert imported(variables_in(GUIDE, "the text") | by_model, here()).model == "siglip-vit-b-16-webli"


def test_two_models_of_which_neither_serves_are_told_apart_only_by_the_one_that_is_named() -> None:
    both = "SIGLIP_MODEL_NAME=demo-siglip\nCLIP_MODEL_NAME=demo-clip\n"
    assert wrong(both).keys() == {"SIGLIP_MODEL_NAME", "CLIP_MODEL_NAME"}
    found = imported(variables_in(both, "the text"), here(model="demo-clip"))
    assert outcomes(found) == {"SIGLIP_MODEL_NAME": Outcome.LEFT, "CLIP_MODEL_NAME": Outcome.COMPARED}


def test_what_a_person_said_is_not_overruled() -> None:
    assert wrong("SIGLIP_MODEL_NAME=demo-siglip\n", model="demo-clip").keys() == {"SIGLIP_MODEL_NAME"}
    assert wrong("SIGLIP_EMBEDDING_DIM=768\n", model="demo-clip").keys() == {"SIGLIP_EMBEDDING_DIM"}
    found = imported({"SIGLIP_COLLECTION": "theirs", "SIGLIP_MODEL_NAME": "demo-siglip"}, here(target="ours"))
    assert outcomes(found)["SIGLIP_COLLECTION"] is Outcome.LEFT
    assert found.into(Request("assets", "", target="ours")).target == "ours"


@pytest.mark.parametrize("name", ["assets", "image_assets"])
def test_the_name_of_what_serves_now_is_no_name_for_the_new_collection(name: str) -> None:
    found = imported({"CLIP_MODEL_NAME": "demo-clip", "CLIP_COLLECTION": name}, here())
    assert (found.target, outcomes(found)["CLIP_COLLECTION"]) == ("", Outcome.LEFT)


@pytest.mark.parametrize(
    ("own", "value", "says"),
    [
        ("cuda:1", "cuda", "says cuda:1: the two agree."),
        ("cpu", "auto", "says cpu: the two agree."),
        ("cpu", "CUDA", "says cpu: the two differ."),
        ("auto", "cpu", "says auto, which means cpu here: the two agree."),
        ("auto", "cuda", "says auto, which means cpu here: the two differ."),
    ],
)
def test_the_device_is_compared_with_the_consoles_own(
    own: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (answer,) = imported({"DEVICE": value}, here(device=own)).answers
    assert (answer.outcome, says in answer.message) == (Outcome.COMPARED, True), answer
    assert bool(answer.remedy) is ("differ" in says)


def test_only_known_names_are_looked_at_and_one_without_a_value_counts_as_not_set() -> None:
    assert known_in({"HOME": "/root", "DEVICE": " cpu "}, NAMES) == {"DEVICE": "cpu"}
    assert imported({"SIGLIP_MODEL_NAME": "", "SECRET": "x"}, here()) == Imported()


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused_with_a_remedy(text: str) -> None:
    refused: SettingsError | None = None
    found: dict[str, str] = {}
    try:
        found = variables_in(text, "the text")
    except SettingsError as error:
        refused = error
    assert refused is None or refused.remedy
    assert all("\0" not in name + value for name, value in found.items())


_VALUES = st.one_of(
    st.sampled_from(
        ["demo-siglip", "ViT-B-16-SigLIP", "webli", "768", "192", "cpu", "true", "50%", "assets", "x/y.pt"]
    ),
    st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12),
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(NAMES)), _VALUES))
def test_whatever_the_values_are_each_variable_is_answered_for_or_stops_the_import(told: dict[str, str]) -> None:
    found = imported(told, here())
    if found.wrong:
        assert (found.model, found.target, found.batch_size) == ("", "", None)
        assert all(answer.remedy for answer in found.wrong)
    else:
        assert outcomes(found).keys() == told.keys()
