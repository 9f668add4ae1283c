"""The default runtime: a valid export of the model, else Keras."""

import json
import shutil
from pathlib import Path

import pytest

import zoo
from tests.cli.test_export import change_weights, names
from tests.conftest import AR
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.runtime import AUTO, open_graphs
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.timeseries.forecasting.data import SAMPLE


@pytest.fixture
def run(ar_run, tmp_path) -> Path:
    """A run to be exported and trained on."""
    return shutil.copytree(ar_run, tmp_path / "run")


def forecasts(answer) -> list[float]:
    assert answer.status == 0
    (prediction,) = answer.json["predictions"]
    return prediction["forecast"]


def test_an_export_answers_while_it_fits_the_model(run_zoo, run):
    predict = ("predict", run, SAMPLE, "--json")
    assert open_graphs(AUTO, run).backend == "keras"
    by_keras = forecasts(run_zoo(*predict))
    first = run_zoo(*predict, "--cache")
    assert first.err == f"{run} is exported to {run / 'onnx'}, once.\n"
    assert open_graphs(AUTO, run).backend == "onnx"
    again = run_zoo(*predict, "--cache")
    assert again.err == ""
    for answer in (first, again):
        assert forecasts(answer) == pytest.approx(by_keras, rel=1e-4)

    change_weights(run)
    changed = run_zoo(*predict)
    assert f"{run / 'onnx'} was exported from another model.keras than" in changed.err
    assert changed.err.endswith("Using keras instead.\n")
    expected = forecasts(run_zoo(*predict, "--backend", "keras"))
    assert forecasts(changed) == expected
    assert forecasts(changed) != pytest.approx(by_keras, rel=0.1)
    run_zoo(*predict, "--cache")
    assert forecasts(run_zoo(*predict)) == pytest.approx(expected, rel=1e-4)


def test_load_exports_to_onnx_once(run, capfd):
    preset = zoo.load(run, runtime="onnx")
    assert preset.graphs.backend == "onnx"
    assert capfd.readouterr().err == f"{run} is exported to {run / 'onnx'}, once.\n"
    written = (run / "onnx" / "model.onnx").stat().st_mtime_ns
    zoo.load(run, runtime="onnx")
    assert (run / "onnx" / "model.onnx").stat().st_mtime_ns == written
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("damage", ["byte", "seal", "recipe"])
def test_a_damaged_export_does_not_answer(run_zoo, run, damage):
    assert run_zoo("export", run, "--to", "onnx").status == 0
    if damage == "byte":
        content = bytearray((run / "onnx" / "model.onnx").read_bytes())
        content[len(content) // 2] ^= 0xFF
        (run / "onnx" / "model.onnx").write_bytes(content)
    elif damage == "seal":
        (run / "onnx" / "export.json").unlink()
    else:  # other settings, which the same weights fit
        recipe = json.loads((run / "recipe.json").read_text())
        recipe["decoder"]["horizon"] += 1
        (run / "recipe.json").write_text(json.dumps(recipe))
    answer = run_zoo("predict", run, SAMPLE, "--json")
    assert answer.err.endswith("Using keras instead.\n")
    assert answer.err.count("\n") == 1
    assert forecasts(answer) == forecasts(
        run_zoo("predict", run, SAMPLE, "--json", "--backend", "keras")
    )


def test_a_folder_of_exports_alone(run_zoo, refused, run, tmp_path):
    out = tmp_path / "out"
    assert run_zoo("export", run, "--to", "onnx", "--out", out).status == 0
    assert run_zoo("predict", out, SAMPLE).out == run_zoo("predict", run, SAMPLE).out
    (out / "onnx" / "model.onnx").write_bytes(b"not a model")
    assert "is corrupt: it differs from the exported file" in refused("predict", out, SAMPLE)


def test_exports_of_an_installed_package_go_to_the_cache(run_zoo, run, tmp_path, monkeypatch):
    package, cache = tmp_path / "site" / "saved_models", tmp_path / "cache"
    shutil.copytree(run, package / AR)
    before = sorted(package.rglob("*"))
    monkeypatch.setattr(store, "_INSTALLED", package)
    monkeypatch.setattr(store, "ROOT", package)
    monkeypatch.setenv("ZOO_CACHE", str(cache))
    assert run_zoo("export", AR, "--to", "onnx,litert").status == 0
    assert names(cache / "exports" / AR) == {"onnx", "litert"}
    assert sorted(package.rglob("*")) == before
    expected = [answer["forecast"] for answer in zoo.load(AR).predict([str(SAMPLE)])]
    for runtime in ("onnx", "litert"):
        preset = zoo.load(AR, runtime=runtime)
        assert preset.graphs.backend == runtime
        received = [answer["forecast"] for answer in preset.predict([str(SAMPLE)])]
        assert received == [pytest.approx(row, rel=1e-4) for row in expected]
    assert open_graphs(AUTO, AR).backend == "onnx"
    with pytest.raises(ZooError, match="Export the preset first: zoo export"):
        zoo.load(AR, runtime="savedmodel")
    with pytest.raises(ZooError, match=r"runtime must be one of 'keras', .*Received: 'torch'"):
        zoo.load(AR, runtime="torch")


def test_a_cache_that_another_process_fills(run_zoo, run):
    """Keras answers, instead of an error about the lock."""
    with locked(run / LOCK_FILE):
        answer = run_zoo("predict", run, SAMPLE, "--json", "--cache")
    assert "is in use: process" in answer.err
    assert answer.err.endswith("The answer does not need the export.\n")
    assert forecasts(answer) == forecasts(run_zoo("predict", run, SAMPLE, "--json"))
    assert not (run / "onnx").exists()


def test_cache_needs_auto(refused, run):
    line = refused("predict", run, SAMPLE, "--cache", "--backend", "litert")
    assert line == "zoo: --cache needs --backend auto. Received: --backend litert.\n"
