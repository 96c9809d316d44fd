"""Recipes: every key through one door, which says what is allowed; TOML out is what came in."""

import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.recipes.recipe import RECIPES, FrontEndChoices, Recipe, list_recipes, load_recipe, read_recipe
from training.recipes.values import BadRecipe, make, write_toml

PLAIN = Recipe(name="plain", title="A title", about="About it", wants="a folder")


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_says_what_it_is_and_survives_being_written(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8")
    assert read_recipe(path) == recipe
    assert len(recipe.variants()) == len(recipe.judging.compare)
    said = recipe.summary()
    assert said.startswith(f"{recipe.name}: {recipe.title}\n")
    assert recipe.wants in said
    assert all(f"{target.value:.0%}" in said for target in recipe.to_beat)


def test_the_five_experiments_are_there() -> None:
    names = {recipe.name for recipe in list_recipes()}
    assert names == {path.stem for path in RECIPES.glob("*.toml")}
    five = {"waveform-images", "seven-songs", "fma", "gtzan", "twelve-electronic-styles"}
    assert five | {"fma-instrumental"} == names


@pytest.mark.parametrize(
    ("setting", "key", "allowed"),
    [
        ("nope=1", "nope", "allowed here: name, title, about"),
        ("training.epochs=1", "training.epochs", "n_epochs"),
        ("front_end.mel.bands=3", "front_end.mel.bands", "n_mels"),
        ("training.n_epochs=many", "training.n_epochs", "a whole number, got 'many'"),
        ("training.n_epochs=2.5", "training.n_epochs", "a whole number, got 2.5"),
        ("training.n_epochs=true", "training.n_epochs", "a whole number, got True"),
        ("training.dropout=text", "training.dropout", "a number"),
        ("training.spec_augment=1", "training.spec_augment", "true or false"),
        ("training.n_epochs=0", "n_epochs", "between 1 and 10000"),
        ("judging.n_folds=1", "judging.n_folds", "between 2 and 50"),
        ("network.kind=alexnet", "network.kind", "one of heads, encoder, waveform_cnn"),
        ("data.layout=zip", "data.layout", "one of auto, folder, fma, gtzan"),
        ("data.labels=[1, 2]", "data.labels[0]", "a text, got 1"),
        ("data.labels=7", "data.labels", "a list, each a text"),
        ("front_end.mel.channels=bass", "front_end.mel", "chroma"),
        ("curve.counts=[5, 1]", "curve.counts", "rising whole numbers"),
        ("judging=3", "judging", "a table with n_folds"),
        ("title.short=x", "title", "is a value"),
        ("training.n_epochs", "'training.n_epochs'", "key=value"),
        ("=3", "'=3'", "key=value"),
        ("to_beat=[{figure='luck', value=1.0, measured_on='x'}]", "to_beat[0].figure", "precision_at_3"),
        ("to_beat=[{value=1.0}]", "to_beat[0].figure", "is missing"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(setting: str, key: str, allowed: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        PLAIN.but(setting)
    assert key in str(caught.value)
    assert allowed in str(caught.value)


def test_settings_are_read_as_toml_and_else_as_text() -> None:
    assert PLAIN.but("training.n_epochs=7").training.n_epochs == 7
    assert PLAIN.but("training.dropout=0").training.dropout == 0.0
    assert PLAIN.but("data.liked=late night").data.liked == "late night"
    assert PLAIN.but("data.labels=Rock,Hip-Hop").data.labels == ("Rock", "Hip-Hop")
    assert PLAIN.but("data.labels=Rock").data.labels == ("Rock",)
    assert PLAIN.but("data.labels=").data.labels == ()
    assert PLAIN.but('data.labels=["a, b", "c"]').data.labels == ("a, b", "c")
    assert PLAIN.but("data.liked=x=y").data.liked == "x=y"
    assert PLAIN.training.n_epochs != 7


def test_comparisons_go_through_the_same_door(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    wrong = replace(PLAIN, judging=replace(PLAIN.judging, compare=("network.kind=alexnet",)))
    path.write_text(wrong.to_toml())
    with pytest.raises(BadRecipe, match="alexnet"):
        load_recipe(str(path))
    both = PLAIN.but("judging.compare=['network.kind=crnn; training.n_epochs=3']").variants()
    assert [(variant.network.kind, variant.training.n_epochs) for variant in both] == [("crnn", 3)]


def test_the_service_s_own_networks_hear_the_service_s_own_front_end() -> None:
    with pytest.raises(BadRecipe, match="front_end"):
        PLAIN.but("front_end.mel.clip_s=30")
    assert PLAIN.but("network.kind=crnn", "front_end.mel.clip_s=30").front_end != FrontEndChoices()
    with pytest.raises(BadRecipe, match="leak_piece_s"):
        PLAIN.but("judging.leak_piece_s=5")


def test_a_recipe_that_is_not_there_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="there are fma, fma-instrumental, gtzan"):
        load_recipe("nonsense")
    with pytest.raises(BadRecipe, match=r"cannot be read as a recipe"):
        load_recipe(str(tmp_path / "missing.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("title = ")
    with pytest.raises(BadRecipe, match=r"broken\.toml"):
        load_recipe(str(broken))
    broken.write_text("title = 'x'")
    with pytest.raises(BadRecipe, match=r"broken\.toml: about is missing"):
        load_recipe(str(broken))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXTS, max_size=3),
)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=6)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(
        KEYS, st.one_of(VALUES, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3
    ),
    max_leaves=6,
)


@given(TABLES)
def test_any_table_survives_being_written(table: dict[str, object]) -> None:
    assert tomllib.loads(write_toml(table)) == table


@given(title=TEXTS, labels=st.lists(TEXTS, max_size=3), n_epochs=st.integers(1, 10_000))
def test_any_recipe_survives_being_written(title: str, labels: list[str], n_epochs: int) -> None:
    table = asdict(PLAIN) | {"title": title, "data": {"labels": labels}, "training": {"n_epochs": n_epochs}}
    recipe = make(Recipe, table)
    assert make(Recipe, tomllib.loads(recipe.to_toml())) == recipe
