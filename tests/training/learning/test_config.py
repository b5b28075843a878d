"""Recipes say what they said, and a wrong setting is told in one line."""

import pytest

from training.errors import ConfigError
from training.learning.config import RECIPES, TrainingConfig


def test_the_lab_recipe_is_the_notebooks() -> None:
    lab = TrainingConfig.from_recipe("lab")
    assert (lab.embedding_dim, lab.lstm_units, lab.recurrent_initializer) == (256, 1024, "glorot_uniform")
    assert (lab.batching, lab.sequence_length, lab.batch_size) == ("crops", 250, 64)
    assert (lab.optimizer, lab.learning_rate, lab.schedule, lab.clip_norm) == ("adam", 5e-3, "constant", 0)
    assert (lab.steps, lab.checkpoint_every) == (2000, 100)
    noise = (lab.character_dropout, lab.embedding_dropout, lab.recurrent_dropout, lab.output_dropout)
    assert (lab.transpose, lab.weight_decay, lab.average_decay, *noise) == (0,) * 7


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_config_survives_being_written_down(recipe: str) -> None:
    config = TrainingConfig.from_recipe(recipe, {"steps": "7"})
    assert TrainingConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("recipe", "overrides", "message"),
    [
        ("large", {}, "recipe 'large' is not one of lab, plain, small, books"),
        ("lab", {"units": "4"}, "setting 'units' is not one of seed,"),
        ("lab", {"lstm_units": "many"}, "lstm_units: 'many' is not a whole number"),
        ("lab", {"lstm_units": "0"}, "lstm_units: 0 is not above 0"),
        ("lab", {"output_dropout": "1"}, r"output_dropout: 1.0 is not in \[0, 1\)"),
        ("lab", {"learning_rate": "nan"}, "learning_rate: nan is not"),
        ("lab", {"batching": "piles"}, "batching: 'piles' is not one of crops, streams"),
        ("lab", {"seed": "-1"}, "seed: -1 is not a number from 0 up"),
    ],
)
def test_a_wrong_setting_is_told(recipe: str, overrides: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.from_recipe(recipe, overrides)
