"""Test `training.precision`: the meaning of "auto", and runs resumed in another precision."""

from dataclasses import replace

import pytest

from tests.common.training.toy import DEV, RECIPE, TRAIN
from zoo.common.presets import runs
from zoo.common.training import loop, precision
from zoo.common.training.loop import train

AUTO = replace(RECIPE, training=replace(RECIPE.training, precision="auto", epochs=1))


@pytest.fixture(autouse=True)
def no_plots(monkeypatch):
    monkeypatch.setattr(loop, "plot_learning_curves", lambda *arguments: None)


@pytest.mark.parametrize(
    ("flags", "found", "becomes"),
    [
        ("fma avx512f avx512_bf16 avx512_vnni", "avx512_bf16", "mixed_bfloat16"),
        ("avx512f amx_bf16", "amx_bf16", "mixed_bfloat16"),
        ("fma avx512f avx512vnni", "", "float32"),
    ],
)
def test_auto_follows_the_processor(flags, found, becomes, tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"model name\t: X\nflags\t\t: {flags}\n")
    assert precision.bfloat16_instructions(cpuinfo) == found
    monkeypatch.setattr(precision, "bfloat16_instructions", lambda: found)
    lines = []
    assert precision.chosen_precision(AUTO, lines.append).training.precision == becomes
    (line,) = lines
    assert line.startswith(f"Precision: {becomes} (")
    assert found in line


def test_no_instructions_without_cpuinfo(tmp_path):
    assert precision.bfloat16_instructions(tmp_path / "nothing") == ""


def test_an_explicit_precision_is_kept():
    lines = []
    assert precision.chosen_precision(RECIPE, lines.append) is RECIPE
    assert not lines


def test_a_run_may_continue_in_another_precision(tmp_path):
    """run.json records the earlier precision."""
    folder = tmp_path / "run"
    first = RECIPE.override({"training.epochs": 1, "training.precision": "float32"})
    train(first, TRAIN, DEV, folder)
    other = first.override({"training.epochs": 2, "training.precision": "mixed_bfloat16"})
    history = train(other, TRAIN, DEV, folder, resume=True)
    assert len(history) == 2
    assert history[1]["loss"] < history[0]["loss"]
    record = runs.read_json(folder / runs.RUN_FILE)
    assert record["recipe"]["training"]["precision"] == "mixed_bfloat16"
    assert [plan["precision"] for plan in record["planned_before"]] == ["float32"]


def test_the_chosen_precision_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_instructions", lambda: "avx512_bf16")
    folder, lines = tmp_path / "run", []
    train(AUTO, TRAIN, DEV, folder, log=lines.append)
    assert lines[0] == "Precision: mixed_bfloat16 (this processor has avx512_bf16)."
    record = runs.read_json(folder / runs.RUN_FILE)
    assert record["recipe"]["training"]["precision"] == "mixed_bfloat16"
