"""`training.precision`: what "auto" becomes, and a run that goes on in another precision."""

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
def test_auto_is_what_the_processor_multiplies_fast(flags, found, becomes, tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"model name\t: X\nflags\t\t: {flags}\n")
    assert precision.bfloat16_instructions(cpuinfo) == found
    monkeypatch.setattr(precision, "bfloat16_instructions", lambda: found)
    lines = []
    assert precision.chosen_precision(AUTO, lines.append).training.precision == becomes
    (line,) = lines
    assert line.startswith(f"Precision: {becomes}, as ")
    assert found in line


def test_without_linux_nothing_is_found(tmp_path):
    assert precision.bfloat16_instructions(tmp_path / "nothing") == ""


def test_what_was_chosen_stays_as_it_is():
    lines = []
    assert precision.chosen_precision(RECIPE, lines.append) is RECIPE
    assert not lines


def test_a_run_may_go_on_in_another_precision(tmp_path):
    """From float32 weights; run.json tells what it was before."""
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


def test_auto_is_recorded_as_what_it_became(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_instructions", lambda: "avx512_bf16")
    folder, lines = tmp_path / "run", []
    train(AUTO, TRAIN, DEV, folder, log=lines.append)
    assert lines[0] == "Precision: mixed_bfloat16, as this processor has avx512_bf16."
    record = runs.read_json(folder / runs.RUN_FILE)
    assert record["recipe"]["training"]["precision"] == "mixed_bfloat16"
