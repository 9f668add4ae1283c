"""Compact recurrent sequence models in TensorFlow and Keras 3: train, evaluate, export.

`import zoo` and `zoo.list_models()` do not import TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras

    from zoo.api import results
    from zoo.api.options import PresetLike
    from zoo.api.seeds import SeedsResult
    from zoo.common.runtime.preset import Preset
    from zoo.scaling.bulk import BulkResult
    from zoo.scaling.tune_result import TuneResult

__version__ = "0.2.0"
__all__ = [
    "ZooError",
    "accelerate",
    "baseline",
    "create_model",
    "evaluate",
    "export",
    "fetch",
    "list_models",
    "load",
    "plot",
    "predict",
    "publish",
    "register",
    "score",
    "to_stock",
    "train",
    "train_seeds",
    "tune",
]


def __getattr__(name: str) -> Any:
    """Import `zoo.layers`, which needs Keras, when it is used."""
    if name == "layers":
        import importlib

        return importlib.import_module("zoo.layers")
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the registered recipes that match a shell pattern.

    Args:
        pattern: such as "speech/*".

    Examples:
        >>> import zoo
        >>> zoo.list_models("language/*ptb")[:2]
        ['language/feedforward-ptb', 'language/kn5-ptb']
    """
    from zoo.common.core.registry import names

    return names(pattern)


def create_model(name: str, **overrides: Any) -> keras.Model:
    """Return a functional `keras.Model` with new weights, as a recipe defines it.

    Args:
        name: a registered recipe.
        overrides: arguments of the recipe's model config.

    Raises:
        ZooError: an unknown name or argument. The message lists the nearest valid ones.

    Examples:
        >>> import zoo
        >>> zoo.create_model("speech/bilstm-ctc-an4", hidden_size=16).name
        'birnn_ctc'
    """
    from zoo.common.core.registry import entry
    from zoo.common.runtime.keras_model import KerasModel
    from zoo.common.utils.quiet import start_backend

    recipe = entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})
    if isinstance(recipe.model, KerasModel):
        start_backend()
    return recipe.model.build()


def load(preset_or_folder: str | Path, runtime: str = "keras") -> Preset:
    """Return a trained preset: `.model`, `.recipe`, `.metrics`, `.predict(inputs)`.

    Args:
        preset_or_folder: a preset by name, the folder of a run or preset, or an address on the hub, such
            as "hf://owner/name@revision". A registered preset that is not installed is fetched from the
            index that ZOO_PRESETS names.
        runtime: "keras", or a runtime to which `zoo.export` has exported the preset: "savedmodel",
            "onnx" or "litert", which do not need TensorFlow, or "onnx-int8" and so on for exports with
            smaller weights. "onnx" exports the preset first if there is no export.

    Raises:
        ZooError: there is no such preset or export, or a file of it is missing or corrupt.

    Examples:
        >>> import zoo
        >>> preset = zoo.load("language/bilstm-sst2")
        >>> [answer["output"] for answer in preset.predict("a gripping and moving film")]
        ['positive']
    """
    from zoo.api.load import load

    return load(preset_or_folder, runtime)


def fetch(
    corpora: str | Sequence[str],
    *,
    data: str | Path | None = None,
    accept_licence: bool = False,
) -> results.FetchResult:
    """Download corpora from their publishers, and compare them with those of the presets.

    An interrupted download continues with the next call. A corpus whose folder exists is only checked.
    docs/data.md lists the corpora.

    Args:
        corpora: one name or a list, such as "an4".
        data: folder that will hold a folder of each corpus; None for ZOO_DATA, else one in the cache.
        accept_licence: whether you accept licences that restrict the use.

    Returns:
        The corpora. The errors of others that failed are in `errors`.

    Raises:
        ZooError: an unknown name, or no corpus could be fetched: the network or the disk failed, the
            licence is not accepted, the file is not the recorded one, or the corpus needs an account.

    Examples:
        >>> import zoo
        >>> zoo.fetch("hello").corpora[0]["parts"][0]["splits"]
        {'train': 1, 'valid': 1, 'test': 1}
    """
    from zoo.api.fetch import fetch

    return fetch(corpora, data=data, accept_licence=accept_licence)


def train(
    recipe: str,
    *,
    data: str | Path | None = None,
    manifest: str | Path | Sequence[str | Path] | None = None,
    weights: Sequence[int] | None = None,
    dev_manifest: str | Path | None = None,
    init: PresetLike | None = None,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    overfit: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> results.TrainResult:
    """Train a recipe into a run folder.

    Args:
        recipe: a registered recipe.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus, or several of them. If it has
            splits, only `train` is trained on.
        weights: how often the examples of each manifest are used in an epoch; None for once.
        dev_manifest: examples that choose the best epoch. By default they are the split for that (of a
            manifest: `dev` or `valid`), or a part of the train split.
        init: a preset or run to start from: its weights, its vocabulary and the shape of its model.
        out: the run folder; None for a folder in `runs`.
        overrides: settings by dotted key, such as `{"optimizer.learning_rate": 3e-4}`.
        resume: whether to continue an interrupted run in `out`.
        overfit: train and evaluate on this number of examples, to check that the model can learn.
        callbacks: Keras callbacks, for recipes that are trained by gradient descent.

    Raises:
        ZooError: an argument or an example is invalid, or the model cannot be trained.

    Examples:
        >>> import tempfile, zoo
        >>> folder = tempfile.mkdtemp() + "/run"
        >>> result = zoo.train("language/charlstm-hello", out=folder, overrides={"training.epochs": 1})
        >>> len(result.history)
        1
    """
    from zoo.api.train import train

    return train(
        recipe,
        data=data,
        manifest=manifest,
        weights=weights,
        dev_manifest=dev_manifest,
        init=init,
        out=out,
        overrides=overrides,
        resume=resume,
        overfit=overfit,
        callbacks=callbacks,
    )


def train_seeds(recipe: str, seeds: int = 3, **arguments: Any) -> SeedsResult:
    """Train a recipe with several seeds, and return the mean and the spread of its metric on dev.

    Args:
        recipe: a registered recipe.
        seeds: number of trainings. The first one has the seed `training.seed`.
        arguments: as in `train`. The run folder of each seed is in `out`.

    Raises:
        ZooError: as `train`.

    Examples:
        >>> import pathlib, tempfile, zoo
        >>> laser = pathlib.Path(zoo.__file__).parent / "timeseries/samples/laser.txt"
        >>> out = tempfile.mkdtemp() + "/seeds"
        >>> result = zoo.train_seeds("timeseries/ar-laser", 2, manifest=laser, out=out)
        >>> len(result.values), result.spread
        (2, 0.0)
    """
    from zoo.api.seeds import train_seeds

    return train_seeds(recipe, seeds, **arguments)


def tune(
    recipe: str,
    settings: Mapping[str, Any],
    *,
    trials: int = 20,
    jobs: int = 1,
    seeds: int = 1,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    dev_manifest: str | Path | None = None,
    out: str | Path | None = None,
    storage: str | None = None,
) -> TuneResult:
    """Search the settings of a recipe whose metric on dev is best, with Optuna.

    The same call continues a sweep. A trial is ended early if its metric is worse than the median of the
    earlier trials in the same epoch.

    Args:
        recipe: a registered recipe.
        settings: by dotted key one value, a range "1e-4..1e-2", or a list of values.
        trials: number of trials of the study, those of earlier calls included.
        jobs: number of processes that run trials at the same time.
        seeds: number of trainings of a trial. Their mean is optimized.
        data: as in `train`.
        manifest: as in `train`.
        dev_manifest: as in `train`.
        out: folder of the sweep; None for a folder in `runs`.
        storage: URL of a database that several machines share; None for a file in `out`.

    Raises:
        ZooError: a setting, an example or the storage is invalid, Optuna is not installed, or no trial
            is complete.

    Examples:
        >>> import pathlib, tempfile, zoo
        >>> laser = pathlib.Path(zoo.__file__).parent / "timeseries/samples/laser.txt"
        >>> out = tempfile.mkdtemp() + "/sweep"
        >>> space = {"model.context": [4, 16]}
        >>> zoo.tune("timeseries/ar-laser", space, trials=3, manifest=laser, out=out).best
        {'model.context': 4}
    """
    from zoo.scaling.tune import tune

    return tune(
        recipe,
        settings,
        trials=trials,
        jobs=jobs,
        seeds=seeds,
        data=data,
        manifest=manifest,
        dev_manifest=dev_manifest,
        out=out,
        storage=storage,
    )


def evaluate(
    preset: PresetLike,
    *,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    split: str | None = None,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    rows: str | Path | None = None,
    plots: str | Path | None = None,
    choose_threshold: bool = False,
) -> results.EvaluateResult:
    """Evaluate a preset or run on a split.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset. A registered recipe
            that is not shipped is trained first, unless its default run folder exists.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus.
        split: a split of the corpus, "dev" or "all"; None for the test split, or all of a manifest. Of a
            manifest that a run was trained on, None means the examples that chose its best epoch.
        runtime: "keras", "savedmodel", "onnx", "litert" or "auto"; None for that of a loaded preset,
            otherwise "keras".
        options: options of the preset's decoder, such as `{"beam_width": 8}`.
        rows: a JSON lines file to write, one line per example.
        plots: a folder for plots.
        choose_threshold: whether to choose a threshold on dev and to store it in the run: of a
            classifier `min_confidence`, by the F1 of the classes; of a model that generates texts
            `warn_below`, the confidence of its answers to all but 1 % of dev.

    Raises:
        ZooError: there is no such preset, split, runtime or option, a package of the metrics is not
            installed, or a file cannot be written.

    Examples:
        >>> import zoo
        >>> result = zoo.evaluate("language/charlstm-hello", split="dev")
        >>> list(result.metrics)
        ['nats_per_char']
    """
    from zoo.api.evaluate import evaluate

    return evaluate(
        preset,
        data=data,
        manifest=manifest,
        split=split,
        runtime=runtime,
        options=options,
        rows=rows,
        plots=plots,
        choose_threshold=choose_threshold,
    )


def baseline(
    recipe: str,
    *,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    split: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> results.BaselineResult:
    """Fit a simple model on the train split of a recipe, and evaluate it with the recipe's metrics.

    The model depends on the data: an SVM on statistics of a recording, for example, or n-grams for a
    language model. Its settings are chosen on dev. A network should be better than it.

    Args:
        recipe: a registered recipe.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus.
        split: the split to evaluate; None for the test split, or dev for a manifest.
        overrides: settings by dotted key, as in `train`, such as the columns of a manifest.
        seed: seed of the model and of the intervals.

    Raises:
        ZooError: the recipe has no baseline, scikit-learn is not installed, or the examples are not
            enough.

    Examples:
        >>> import zoo
        >>> result = zoo.baseline("language/charlstm-hello", split="dev")
        >>> result.baseline
        'Kneser-Ney 6-grams'
    """
    from zoo.api.baseline import baseline

    return baseline(
        recipe, data=data, manifest=manifest, split=split, overrides=overrides, seed=seed
    )


@overload
def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: Literal["local"] = "local",
) -> results.Predictions: ...


@overload
def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: Literal["ray"],
    out: str | Path,
    actors: int | None = None,
    format: Literal["parquet", "jsonl"] = "parquet",
) -> BulkResult: ...


def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: str = "local",
    **bulk: Any,
) -> results.Predictions | BulkResult:
    """Return one answer per input. An invalid input has the answer `{"input", "error"}`.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        inputs: one input or a list. An input is the path of a file or folder, a text, or an object that
            the preset accepts: (waveform, sample rate), a PIL image, a NumPy array or a pandas series. A
            list of numbers is one input, a series.
        runtime: "auto" (a valid ONNX export, else "keras"), "keras", "savedmodel", "onnx" or "litert";
            None for that of a loaded preset, otherwise "auto".
        options: options of the preset's decoder, such as `{"beam_width": 8}`.
        engine: "local" for this process, or "ray" for the processes of Ray Data, which write the
            answers into a folder. Its inputs are folders, lists with a column `input`, Parquet files,
            and URLs of them. See docs/scaling.md.
        bulk: for the engine "ray": `out`, path or URL of the folder; `actors`, number of processes;
            `format`, "parquet" or "jsonl".

    Raises:
        ZooError: there is no such preset, runtime, option or engine.

    Examples:
        >>> import zoo
        >>> zoo.predict("language/bilstm-sst2", ["a gripping film", "a dull film"]).outputs
        ['positive', 'negative']
    """
    from zoo.common.core.errors import check_choice

    check_choice("engine", engine, ("local", "ray"))
    if engine == "ray":
        from zoo.scaling.bulk import predict_in_bulk

        return predict_in_bulk(preset, inputs, runtime=runtime, options=options, **bulk)
    from zoo.api.predict import predict

    return predict(preset, inputs, runtime=runtime, options=options, **bulk)


def score(
    preset: PresetLike, texts: str | list[str], *, runtime: str | None = None
) -> results.Scores:
    """Return the log-probability of each text, token by token, in nats.

    Args:
        preset: a language model: a preset by name, the folder of a run or preset, or a loaded preset.
        texts: one text or a list. The lines of a file are one text for a language model, and the end of
            each line is a token, as in `evaluate`; other texts are separate.
        runtime: as in `predict`.

    Returns:
        The scores. `perplexity` is that of all texts.

    Raises:
        ZooError: there is no such preset or runtime, or the preset does not support scoring.

    Examples:
        >>> import zoo
        >>> first, second = zoo.score("language/charlstm-hello", ["hello", "holle"])
        >>> first["log_probability"] > second["log_probability"]
        True
    """
    from zoo.api.score import score

    return score(preset, texts, runtime=runtime)


def plot(
    preset: PresetLike,
    source: Any,
    path: str | Path | None = None,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> results.Plot:
    """Draw an input with the answer of a preset. Notebooks display the result.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        source: one input, as in `predict`.
        path: a PNG file to write; None to write no file.
        runtime: as in `predict`.
        options: options of the preset's decoder.

    Raises:
        ZooError: there is no such preset, runtime or option, the preset does not support plots of
            inputs, or the input cannot be read.

    Examples:
        >>> import pathlib, zoo
        >>> recording = pathlib.Path(zoo.__file__).parent / "speech/samples/cen8-fcaw-b.flac"
        >>> zoo.plot("speech/bilstm-ctc-an4", recording).png[:4]
        b'\\x89PNG'
    """
    from zoo.api.plot import plot

    return plot(preset, source, path, runtime=runtime, options=options)


def export(
    preset: PresetLike,
    formats: str | Sequence[str],
    out: str | Path | None = None,
    *,
    precision: str = "float32",
    data: str | Path | None = None,
    manifest: str | Path | None = None,
) -> results.ExportResult:
    """Export a preset or run. Each file is compared with the Keras model before it is written.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        formats: "savedmodel", "litert", "onnx" or "tensorrt", or a list of them.
        out: a folder, which then holds everything that `predict` needs; None for the folder in which
            `predict` looks: that of the preset, or one in the cache for an installed package.
        precision: precision of the weights: "float32", or for ONNX and LiteRT "float16" or "int8". Their
            runtimes are called "onnx-int8" and so on. If outputs differ by more than those of float32
            may, the metric of the task on dev decides whether the export is kept.
        data: folder of the corpus for that metric; None for its folder in the package, if it has one, or
            in ZOO_DATA.
        manifest: a list of your own examples to use instead of the corpus.

    Returns:
        One row per file. Formats that failed while another one was written are in `errors`.

    Raises:
        ZooError: there is no such preset, format or precision, a package is not installed, the examples
            are not found, or no format could be written.

    Examples:
        >>> import tempfile, zoo
        >>> result = zoo.export("language/charlstm-hello", "savedmodel", tempfile.mkdtemp() + "/out")
        >>> result.files[0]["max_difference"] < 1e-4
        True
    """
    from zoo.api.export import export

    return export(preset, formats, out, precision=precision, data=data, manifest=manifest)


def publish(
    run: str | Path,
    *,
    data: str | Path | None = None,
    split: str | None = None,
    to: str | None = None,
) -> results.EvaluateResult | results.UploadResult:
    """Publish a run as the preset of its recipe: float16 weights, measured metrics and a card.

    Args:
        run: the run folder.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        split: split whose metrics the card states next to those of dev; None for the test split.
        to: an address on the hub, such as "hf://owner/name", where the preset is published too. Then
            `run` may be a preset.

    Returns:
        The evaluation on that split; with `to`, the files on the hub.

    Raises:
        ZooError: the run is incomplete or cannot be evaluated. An earlier preset then stays as it is. Or
            the hub refuses the preset.
    """
    from zoo.api.publish import publish

    return publish(run, data=data, split=split, to=to)


def accelerate(model: keras.Model) -> keras.Model:
    """Return a model whose stock Keras recurrent layers run on the fast CPU kernels of the zoo.

    The weights are shared, not copied, and `save` writes stock layers, which open without the zoo.
    docs/recurrent.md states the gain, and describes `jit_compile`, whose default is False.

    Args:
        model: a functional Keras model.

    Examples:
        >>> import keras, zoo
        >>> inputs = keras.Input((None, 4))
        >>> model = keras.Model(inputs, keras.layers.LSTM(8)(inputs))
        >>> zoo.accelerate(model).count_params() == model.count_params()
        True
    """
    from zoo.common.layers.recurrent import accelerate

    return accelerate(model)


def to_stock(model: keras.Model) -> keras.Model:
    """Return a model with stock Keras recurrent layers: the inverse of `accelerate`.

    The weights are shared, not copied.

    Args:
        model: a functional Keras model.

    Examples:
        >>> import keras, zoo
        >>> inputs = keras.Input((None, 4))
        >>> fast = zoo.accelerate(keras.Model(inputs, keras.layers.LSTM(8)(inputs)))
        >>> type(zoo.to_stock(fast).layers[-1]).__name__
        'LSTM'
    """
    from zoo.common.layers.recurrent import to_stock

    return to_stock(model)
