"""Search spaces: ranges, choices and fixed values, and those that make no sense."""

import re

import optuna
import pytest

import zoo
from zoo.common.core import registry
from zoo.scaling.space import Choices, Range, Space, read_space

RECIPE = registry.entry("timeseries/lstm-laser").recipe()
RATE, UNITS = "optimizer.learning_rate", "model.hidden_size"


def test_ranges_choices_and_fixed_values_have_the_type_of_their_setting():
    space = read_space(
        RECIPE,
        {RATE: "1e-4..1e-2", UNITS: "8..64", "model.cell": "lstm,gru", "training.epochs": "7"},
    )
    assert space == Space(
        {"training.epochs": "7"},
        {RATE: Range(1e-4, 1e-2), UNITS: Range(8, 64), "model.cell": Choices(("lstm", "gru"))},
    )
    assert read_space(RECIPE, {UNITS: [8, 16]}).searched == {UNITS: Choices((8, 16))}
    with_list = read_space(RECIPE, {UNITS: "8,16", "data.calendar": "weekday,month"})
    assert with_list.fixed == {"data.calendar": "weekday,month"}


def test_wide_ranges_are_logarithmic():
    assert Range(1e-4, 1e-2).log
    assert Range(8, 80).log
    assert not Range(8, 64).log
    assert not Range(0.0, 0.5).log


def test_suggested_values_stay_in_the_space():
    space = read_space(RECIPE, {RATE: "1e-4..1e-2", UNITS: "8..12", "model.cell": "lstm,gru"})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    found = [space.suggest(study.ask()) for _ in range(200)]
    rates = sorted(values[RATE] for values in found)
    assert 1e-4 <= rates[0] < 2e-4
    assert 5e-3 < rates[-1] <= 1e-2
    assert rates[100] == pytest.approx(1e-3, rel=0.5)  # the middle on a logarithmic scale
    assert {values[UNITS] for values in found} == set(range(8, 13))
    assert {values["model.cell"] for values in found} == {"lstm", "gru"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "A sweep needs a setting with a range or several values"),
        ({RATE: "1e-3"}, "A sweep needs a setting with a range or several values"),
        ({RATE: "1e-2..1e-4"}, f"The range of {RATE} must rise. Received: '1e-2..1e-4'"),
        ({RATE: "1e-2..1e-2"}, "must rise"),
        ({RATE: "1e-2.."}, f"{RATE} must be LOW..HIGH, two numbers. Received: '1e-2..'"),
        ({RATE: "a..1"}, "must be LOW..HIGH, two numbers"),
        ({RATE: "nan..1"}, f"{RATE} must be above 0 and at most 1,000,000. Received: nan"),
        ({RATE: "-1..1"}, f"{RATE} must be above 0"),
        ({UNITS: "0.5..8"}, f"{UNITS} must be an integer. Received: '0.5'"),
        ({"model.cell": "1..2"}, "model.cell must be one of"),
        ({UNITS: "8,8"}, f"{UNITS} must have different values. Received: '8,8'"),
        ({UNITS: "8,"}, f"{UNITS} must be an integer. Received: ''"),
        ({UNITS: [8]}, "must have different values"),
        ({"model.units": "8,16"}, "Unknown setting 'model.units'"),
    ],
)
def test_spaces_that_make_no_sense(given, message):
    with pytest.raises(zoo.ZooError, match=re.escape(message)):
        read_space(RECIPE, given)
