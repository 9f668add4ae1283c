"""Bulk inference with Ray Data: one model per actor, one task per part of the output."""

from __future__ import annotations

import functools
import json
import logging
import os
import secrets
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.api.options import PresetLike, open_predictor, preset_folder, preset_recipe
from zoo.api.results import Result
from zoo.common.core.errors import ExportError, ZooError, check_choice, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.presets.integrity import preset_digests
from zoo.common.runtime import AUTO
from zoo.common.runtime.preset import Preset
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import meter, say
from zoo.common.utils.quiet import silent_stderr
from zoo.scaling.inputs import EXTRA, BulkInput, is_url, list_inputs, local_copy
from zoo.scaling.parts import FORMATS, PARQUET, Part, Parts, plan_parts, remaining, row_name

PACKAGES = ("ray", "pyarrow")
# Bytes of the object store of Ray: it holds only names of inputs and counts.
STORE_BYTES = 2**27
# How often a part is repeated whose actor died, and how often an actor is restarted. An input that ends
# its process must not be repeated without end, nor an actor that dies while it starts.
RETRIES = 20


@dataclass(frozen=True)
class Job:
    """The arguments of an actor, JSON-ready.

    Args:
        preset: a preset by name, or the folder of a run or preset.
        runtime: the runtime.
        options: options of the decoder.
        out: path or URL of the output.
        format: "parquet" or "jsonl".
        owner: id of the call.
    """

    preset: str
    runtime: str
    options: dict[str, Any]
    out: str
    format: str
    owner: str


@dataclass(frozen=True, repr=False)
class BulkResult(Result):
    """Result of `zoo.predict` with `engine="ray"`.

    Args:
        preset: name of the preset.
        out: path or URL of the folder with the parts.
        format: their format.
        inputs: number of inputs.
        answered: number of inputs that this call answered; the others had a row already.
        errors: number of error rows of this call.
        seconds: wall time after the start of Ray.
    """

    preset: str
    out: str
    format: str
    inputs: int
    answered: int
    errors: int
    seconds: float

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield all rows of the folder: `input`, and `output` or `error`."""
        return Parts(self.out, self.format).rows()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        line = f"{self.answered} of {self.inputs} inputs answered, {self.errors} of them errors"
        return [f"{self.preset}: {line}, {self.seconds:.1f} s", self.out]


def predict_in_bulk(
    preset: PresetLike,
    inputs: str | list[str],
    out: str | Path,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    actors: int | None = None,
    format: str = PARQUET,
) -> BulkResult:
    """Answer inputs with Ray Data into a folder of parts. See `zoo.predict`."""
    check_choice("format", format, FORMATS)
    actors = (os.cpu_count() or 1) if actors is None else actors
    check_range("actors", actors, at_least=1, at_most=10_000)
    recipe = preset_recipe(preset, options)
    name = str(preset.folder) if isinstance(preset, Preset) else str(preset)
    given = [str(each) for each in (inputs if isinstance(inputs, list) else [inputs])]
    found = [each for source in given for each in list_inputs(recipe.data, source)]
    found.sort(key=lambda each: (-each.size, each.source))
    check_packages(PACKAGES, EXTRA)
    backend = runtime or (preset.runtime if isinstance(preset, Preset) else AUTO)
    out = str(out) if is_url(str(out)) else os.path.abspath(out)
    job = Job(name, backend, dict(options or {}), out, format, secrets.token_hex(8))
    parts = Parts(out, format)
    parts.claim(
        {
            "preset": name,
            "format": format,
            "options": {key: str(value) for key, value in sorted(job.options.items())},
            "files": preset_digests(preset_folder(preset), recipe),
        },
        job.owner,
    )
    answered = parts.answered()
    rest = remaining(found, answered)
    if len(rest) < len(found):
        say(f"{len(found) - len(rest)} of {len(found)} inputs are done already: {out}")
    started, rows, errors = time.perf_counter(), 0, 0
    if rest:
        # Errors of the preset are reported before Ray starts.
        open_predictor(preset, recipe, backend)
        planned = plan_parts(rest, actors, answered.total())
        # Ray prints errors of its processes to stdout, where the result belongs.
        with redirect_stdout(sys.stderr), meter("Predicting", len(rest), "input") as bar:
            for count, failed in _run(job, planned, min(actors, len(planned))):
                rows, errors = rows + count, errors + failed
                bar.update(count)
    seconds = round(time.perf_counter() - started, 2)
    return BulkResult(name, out, format, len(found), rows, errors, seconds)


def _run(job: Job, parts: list[Part], actors: int) -> Iterator[tuple[int, int]]:
    """Yield the number of rows and of error rows of each part when it is written.

    Raises:
        ZooError: a part cannot be written, or its actors died too often.
    """
    ray = _start_ray(actors)
    import ray.data as ray_data

    actor: Any = Answerer
    context = ray_data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # An argument of the constructor would be an object that is lost with the process that owns it.
    settings = json.dumps(asdict(job))
    items = [{"job": settings, "part": json.dumps(asdict(part))} for part in parts]
    try:
        with warnings.catch_warnings():
            # Later versions of Ray, which the extra excludes, have another argument for the retries.
            warnings.simplefilter("ignore")
            dataset = ray_data.from_items(items, override_num_blocks=len(items)).map(
                actor,
                compute=ray_data.ActorPoolStrategy(size=actors),
                num_cpus=1,
                max_task_retries=RETRIES,
                max_restarts=RETRIES,
            )
        for row in dataset.iter_rows():
            if row["refused"]:
                raise ZooError(row["refused"])
            yield row["rows"], row["errors"]
    except ray.exceptions.RayError as error:
        line = " ".join(str(error).split())[:300]
        raise ZooError(f"Ray ended the job, which the same command continues: {line}") from None
    finally:
        ray.shutdown()


def _start_ray(actors: int) -> Any:
    """Start Ray on the loopback interface, or connect to the cluster that RAY_ADDRESS names.

    Raises:
        ZooError: Ray cannot be started.
    """
    # Otherwise Ray replaces the address of the loopback interface by that of the machine.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_agent_register_timeout_ms", "300000")
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray

    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if os.environ.get("RAY_ADDRESS"):
            ray.init(**quiet)
        else:
            with silent_stderr():
                ray.init(
                    address="local",
                    num_cpus=actors + 1,  # one for the tasks of Ray Data itself
                    object_store_memory=STORE_BYTES,
                    include_dashboard=False,
                    _node_ip_address="127.0.0.1",
                    **quiet,
                )
    except Exception as error:  # any error of Ray and of its processes
        raise ZooError(f"Ray cannot be started: {' '.join(str(error).split())[:200]}") from None
    return ray


class Answerer:
    """An actor, which answers the inputs of a part and writes it."""

    @functools.cached_property
    def recipe(self) -> Recipe:
        """The recipe of the preset, with the options of its decoder."""
        return preset_recipe(self.job.preset, self.job.options)

    @functools.cached_property
    def predictor(self) -> Predictor[Any, Any, Any]:
        """The model, which is opened once."""
        return open_predictor(self.job.preset, self.recipe, self.job.runtime)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the number of rows and of error rows of a part, or why it cannot be written."""
        self.job = Job(**json.loads(row["job"]))
        parts = Parts(self.job.out, self.job.format)
        values = json.loads(row["part"])
        part = Part(values["name"], tuple(BulkInput(**each) for each in values["inputs"]))
        try:
            if parts.has(part):  # by an actor that died before it reported
                return {"rows": len(part.inputs), "errors": 0, "refused": ""}
            rows = [self.answer(each) for each in part.inputs]
            parts.write(part, rows, self.job.owner)
        except ZooError as error:
            return {"rows": 0, "errors": 0, "refused": str(error)}
        errors = sum("error" in each for each in rows)
        return {"rows": len(rows), "errors": errors, "refused": ""}

    def answer(self, each: BulkInput) -> dict[str, Any]:
        """Return the row of an input. Any error becomes a row, so that no other input is lost.

        Raises:
            ExportError: the model cannot answer any input.
        """
        name = row_name(each.source)
        try:
            if is_url(each.source) and not each.is_text:
                with local_copy(each.source) as copy:
                    row = self._predict(copy)
                if "error" in row:
                    row["error"] = row["error"].replace(copy, name)
            else:
                row = self._predict(each.source)
        except ExportError:
            raise
        except ZooError as error:
            row = {"error": str(error)}
        except Exception as error:  # a defect for one input must not end the job
            row = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        return {**row, "input": name}

    def _predict(self, source: str) -> dict[str, Any]:
        (row,) = self.recipe.task.predict(self.predictor, [source])
        return row
