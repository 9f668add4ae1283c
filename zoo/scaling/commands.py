"""`zoo tune`, and the options of `zoo train` and `zoo predict` for several processes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.arguments import add_source
from zoo.cli.decoding import given_options
from zoo.cli.output import print_answer, table
from zoo.cli.train import parse_settings, train_text
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import extend_verb, register_verb

if TYPE_CHECKING:
    from zoo.scaling.tune_result import TuneResult

LOCAL = "local"


def tune_text(result: TuneResult) -> str:
    """Return the result of a sweep as text."""
    columns = {key for row in result.trials for key, value in row.items() if value is not None}
    rows = [{key: row.get(key) for key in _ordered(result, columns)} for row in result.trials]
    return "\n".join([table(rows), *result.lines(), *map(str, result.files)])


def _ordered(result: TuneResult, columns: set[str]) -> list[str]:
    names = dict.fromkeys(key for row in result.trials for key in row)
    return [name for name in names if name in columns]


def _add_tune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")
    add_source(parser)
    words = "examples that choose the best epoch; default: a part of the manifest"
    parser.add_argument("--dev-manifest", type=Path, metavar="FILE", help=words)
    words = "a setting: one value, a range LOW..HIGH, or several values A,B"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUES", help=words)
    words = "number of trials of the study; default: 20"
    parser.add_argument("--trials", type=int, default=20, metavar="N", help=words)
    words = "number of processes that run trials at the same time; default: 1"
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help=words)
    words = "number of trainings of a trial, whose mean is optimized; default: 1"
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help=words)
    words = "folder of the sweep; default: runs/RECIPE-tune. The same command continues a sweep"
    parser.add_argument("--out", type=Path, metavar="DIR", help=words)
    words = "database that several machines share; default: sqlite:///DIR/study.db"
    parser.add_argument("--storage", metavar="URL", help=words)


@register_verb(
    "tune",
    "search the best settings of a recipe",
    "zoo tune timeseries/lstm-laser --trials 20 --set optimizer.learning_rate=1e-4..1e-2",
    _add_tune_arguments,
)
def run_tune(options: argparse.Namespace) -> None:
    """Run the verb `tune`."""
    from zoo.scaling.tune import tune

    result = tune(
        options.recipe,
        parse_settings(options.set),
        trials=options.trials,
        jobs=options.jobs,
        seeds=options.seeds,
        data=options.data,
        manifest=options.manifest,
        dev_manifest=options.dev_manifest,
        out=options.out,
        storage=options.storage,
    )
    print_answer(options, result.to_dict(), lambda: tune_text(result))


def _add_engine(parser: argparse.ArgumentParser) -> None:
    words = "local, or ray for Ray Data: many inputs into parts in the folder or URL --out"
    parser.add_argument("--engine", default=LOCAL, choices=(LOCAL, "ray"), help=words)
    words = "number of processes of the engine ray; default: one per core"
    parser.add_argument("--actors", type=int, metavar="N", help=words)


@extend_verb("predict", _add_engine)
def run_engine(options: argparse.Namespace) -> int | None:
    """Answer inputs with the engine ray."""
    if options.engine == LOCAL:
        if options.actors is not None:
            raise ZooError("--actors needs --engine ray.")
        return None
    from zoo.scaling.bulk import predict_in_bulk
    from zoo.scaling.parts import PARQUET

    if not options.out or options.plot or options.jsonl or options.cache:
        raise ZooError(
            "--engine ray needs --out DIR, and cannot be combined with --plot, --jsonl or --cache."
        )
    result = predict_in_bulk(
        options.preset,
        options.input,
        options.out,
        runtime=options.backend,
        options=given_options(options),
        actors=options.actors,
        format=options.format or PARQUET,
    )
    print_answer(options, result.to_dict(), lambda: repr(result))
    return int(bool(result.errors))


def _add_hosts(parser: argparse.ArgumentParser) -> None:
    words = "train with N processes of JAX, one per host; 1 for all GPUs of this host"
    parser.add_argument("--hosts", type=int, metavar="N", help=words)
    words = "number of this host, from 0; default: found from Slurm, Kubernetes or MPI"
    parser.add_argument("--rank", type=int, metavar="R", help=words)
    words = "address of rank 0, which the others connect to; default: found like --rank"
    parser.add_argument("--coordinator", metavar="HOST:PORT", help=words)


@extend_verb("train", _add_hosts)
def run_hosts(options: argparse.Namespace) -> int | None:
    """Train on several hosts."""
    if options.hosts is None:
        for name in ("rank", "coordinator"):
            if getattr(options, name) is not None:
                raise ZooError(f"--{name} needs --hosts.")
        return None
    if options.seeds is not None or options.overfit is not None:
        raise ZooError("--hosts cannot be combined with --seeds or --overfit.")
    from zoo.scaling.hosts import Place, train_on_hosts

    result = train_on_hosts(
        options.recipe,
        Place(options.hosts, options.rank, options.coordinator),
        out=options.out,
        overrides=dict(parse_settings(options.set)),
        resume=options.resume,
        data=options.data,
        manifest=options.manifest,
        weights=options.weights,
        dev_manifest=options.dev_manifest,
        init=options.init,
        init_encoder=options.init_encoder,
    )
    print_answer(options, result.to_dict(), lambda: train_text(result))
    return 0
