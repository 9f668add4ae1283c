"""`zoo evaluate --events`: event-based metrics of detectors."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.decoding import given_options
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.verbs import extend_verb

if TYPE_CHECKING:
    from zoo.api.options import PresetLike
    from zoo.api.results import EvaluateResult

DEFAULT_COLLAR = 0.25


def evaluate_detections(
    preset: PresetLike,
    manifest: str | Path,
    *,
    split: str | None = None,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    rows: str | Path | None = None,
    collar: float = DEFAULT_COLLAR,
) -> EvaluateResult:
    """Measure the detections of a preset in annotated recordings.

    Args:
        preset: a preset or run of a classifier of recordings.
        manifest: an annotation; see `zoo.speech.detection.annotations.read_annotations`.
        split: a split of the annotation, "dev" or "all"; None as for `zoo.evaluate`.
        runtime: the runtime.
        options: options of the decoder.
        rows: a JSON lines file to write, one line per recording.
        collar: tolerance of begins and ends in seconds.

    Returns:
        The metrics of `zoo.speech.detection.events.evaluate_events`.

    Raises:
        ZooError: the preset is not a detector, or the manifest is not an annotation, or cannot be read.
    """
    from zoo.api.evaluate import measure_preset
    from zoo.api.options import preset_recipe
    from zoo.common.core.capabilities import SegmentedInputs
    from zoo.common.tasks.classification import Classification
    from zoo.common.utils.packages import check_packages
    from zoo.speech.detection.annotations import read_annotations
    from zoo.speech.detection.events import EXTRA, evaluate_events, recordings_of

    check_range("The collar", collar, above=0, at_most=60)
    recipe = preset_recipe(preset, options)
    task = recipe.task
    if not isinstance(task, Classification) or not isinstance(recipe.data, SegmentedInputs):
        raise ZooError(f"{recipe.name} does not detect events in recordings.")
    check_packages(["mir_eval"], EXTRA)
    annotated = read_annotations(Path(manifest))
    if annotated is None:
        raise ZooError(f"{manifest} must be an annotation of recordings with the times of events.")

    def measure(predictor: Any, examples: list[Any]) -> Any:
        return evaluate_events(predictor, task, recordings_of(annotated, examples), collar)

    return measure_preset(
        preset, recipe, measure, manifest=manifest, split=split, runtime=runtime, rows=rows
    )


def _add_events(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events",
        type=float,
        nargs="?",
        const=DEFAULT_COLLAR,
        metavar="SECONDS",
        help="compare detections with the events of an annotation; begin and end may differ by SECONDS "
        f"(default: {DEFAULT_COLLAR}), the end also by half of the duration",
    )


@extend_verb("evaluate", _add_events)
def run_events(options: argparse.Namespace) -> int | None:
    """Print the event-based metrics if `--events` is given."""
    if options.events is None:
        return None
    from zoo.cli.evaluate import print_evaluation

    if options.manifest is None or options.plots or options.choose_threshold:
        raise ZooError(
            "--events needs --manifest, and cannot be combined with --plots or --choose-threshold."
        )
    result = evaluate_detections(
        options.preset,
        options.manifest,
        split=options.split,
        runtime=options.backend,
        options=given_options(options),
        rows=options.rows,
        collar=options.events,
    )
    print_evaluation(options, result)
    return 0
