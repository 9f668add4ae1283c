"""The `zoo` command: parse, call one function, print."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import sys
from pathlib import Path

from zoo.common.errors import ZooError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0, 1 for an error, 2 for bad usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need not be text of its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return options.verb(options) or 0
    except ZooError as error:
        print("zoo:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("zoo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read stdout has seen enough
        return 1
    except OSError as error:  # a folder that may not be read, an answer onto a full disk
        print(f"zoo: {error}", file=sys.stderr)
        return 1


# Verbs --------------------------------------------------------------------------------------------


def _list(options) -> None:
    from zoo.common.describe import list_rows, table

    rows = list_rows(options.pattern)
    _answer(options, {"models": rows}, lambda: table(rows))


def _show(options) -> None:
    from zoo.common.describe import describe, describe_text

    about = describe(options.name)
    _answer(options, about, lambda: describe_text(about))


def _train(options) -> None:
    from zoo.common import commands

    result = commands.train(
        options.recipe,
        data=options.data,
        manifest=options.manifest,
        dev_manifest=options.dev_manifest,
        init=options.init,
        out=options.out,
        overrides=_overrides(options.set),
        resume=options.resume,
        overfit=options.overfit,
    )
    _answer(options, result, lambda: commands.train_text(result))


def _evaluate(options) -> None:
    from zoo.common import commands

    result, report = commands.evaluate(
        options.preset, data=options.data, manifest=options.manifest, split=options.split
    )
    _answer(options, result, lambda: "\n".join([*report, "", commands.evaluation_text(result)]))


def _predict(options) -> int:
    from zoo.common import commands

    result = commands.predict(
        options.preset, options.input, backend=options.backend, options=options.task
    )
    _answer(options, result, lambda: commands.predictions_text(result))
    return int(any("error" in prediction for prediction in result["predictions"]))


def _score(options) -> int:
    from zoo.common import commands

    result = commands.score(
        options.preset, options.input, backend=options.backend, options=options.task
    )
    _answer(options, result, lambda: commands.scores_text(result))
    return int(any("error" in score for score in result["scores"]))


def _export(options) -> int:
    from zoo.common import commands

    result = commands.export(options.preset, options.to.split(","), options.out)
    errors = result.pop("errors", [])
    _answer(options, result, lambda: commands.export_text(result))
    for error in errors:
        print("zoo:", error, file=sys.stderr)
    return int(bool(errors))


def _publish(options) -> None:
    from zoo.common import commands

    result = commands.publish(options.run, data=options.data, split=options.split)
    _answer(options, result, lambda: commands.evaluation_text(result))


# Parsing and printing -----------------------------------------------------------------------------


# What a verb that answers inputs takes for every preset; all else is an option of the preset's task.
_COMMON_FLAGS = {"--json": 0, "--backend": 1, "--help": 0, "-h": 0}


def _parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments, with the options of a preset's task, `--name value`, as a dict under `task`."""
    task: dict[str, str] = {}
    if arguments and arguments[0] in ("predict", "score"):
        arguments, task = _split(arguments)
    options = _parser().parse_args(arguments)
    options.task = task
    return options


def _split(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    rest, task = [], {}
    waiting = iter(arguments)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if argument == "--":  # inputs from here on, whatever they look like
            rest += [argument, *waiting]
        elif not flag.startswith("--") or flag in _COMMON_FLAGS:
            rest.append(argument)
            if _COMMON_FLAGS.get(argument):
                rest += itertools.islice(waiting, 1)
        elif equals:
            task[_field(flag)] = value
        else:
            try:
                task[_field(flag)] = next(waiting)
            except StopIteration:
                _Parser(prog=f"zoo {arguments[0]}").error(f"argument {flag}: expected one argument")
    return rest, task


def _field(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"zoo: {message}. See {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="zoo", description="Compact recurrent models: train, trust, ship.")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    def verb(name, run, summary, example):
        added = verbs.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(verb=run)
        added.add_argument("--json", action="store_true", help="one JSON object on stdout")
        return added

    def add_source(added, split):
        added.add_argument("--data", type=Path, metavar="DIR", help="the corpus (or set ZOO_DATA)")
        added.add_argument(
            "--manifest", type=Path, metavar="FILE", help="a table of your own data; see the README"
        )
        if split:
            added.add_argument(
                "--split",
                help="the corpus's own name, dev or all; default test, of a manifest all",
            )

    added = verb("list", _list, "list the recipes", 'zoo list "speech/*"')
    added.add_argument("pattern", nargs="?", default="*", help='such as "speech/*"')

    added = verb("show", _show, "tell all about a recipe", "zoo show speech/bilstm-ctc-an4")
    added.add_argument("name")

    added = verb(
        "train",
        _train,
        "train a recipe",
        "zoo train speech/bilstm-ctc-an4 --data corpora/an4 --set optimizer.learning_rate=3e-4",
    )
    added.add_argument("recipe")
    add_source(added, split=False)
    added.add_argument(
        "--dev-manifest", type=Path, metavar="FILE", help="else cut from the manifest"
    )
    added.add_argument("--init", metavar="PRESET", help="start from its weights and vocabulary")
    added.add_argument(
        "--out", type=Path, metavar="RUN", help="the run folder; default runs/RECIPE"
    )
    added.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="see zoo show for the keys"
    )
    added.add_argument("--resume", action="store_true", help="go on after an interruption")
    added.add_argument(
        "--overfit", type=int, metavar="N", help="prove that the model can learn N examples"
    )

    added = verb(
        "evaluate",
        _evaluate,
        "measure a preset or run on a split",
        "zoo evaluate speech/bilstm-ctc-an4 --data corpora/an4 --split test --json",
    )
    added.add_argument("preset", metavar="PRESET|RUN")
    add_source(added, split=True)

    def add_inputs(added):
        added.add_argument("preset", metavar="PRESET|RUN")
        added.add_argument("input", nargs="+", help="after --, one may begin with --")
        added.add_argument(
            "--backend", default="keras", help="keras (default), savedmodel, onnx or litert"
        )
        added.add_argument_group(
            "options of the preset's task", "--NAME VALUE, such as a decoder's --beam-width 8"
        )

    added = verb(
        "predict",
        _predict,
        "answer inputs with a preset or run",
        "zoo predict speech/bilstm-ctc-an4 hello.wav goodbye.flac --beam-width 8",
    )
    add_inputs(added)

    added = verb(
        "score",
        _score,
        "tell the log-probability of texts, token by token",
        'zoo score language/lstm-small-ptb "the company said it expects a loss"',
    )
    add_inputs(added)

    added = verb(
        "export",
        _export,
        "export a preset or run, compared with the Keras model",
        "zoo export speech/bilstm-ctc-an4 --to savedmodel,onnx --out exported",
    )
    added.add_argument("preset", metavar="PRESET|RUN")
    added.add_argument(
        "--to", required=True, metavar="FORMATS", help="savedmodel,litert,onnx,tensorrt"
    )
    added.add_argument("--out", type=Path, metavar="DIR", help="default: the preset's own folder")

    added = verb(
        "publish",
        _publish,
        "make a run a preset: float16 weights, test figures, card",
        "zoo publish runs/an4 --data corpora/an4",
    )
    added.add_argument("run", metavar="RUN")
    added.add_argument("--data", type=Path, metavar="DIR", help="the corpus (or set ZOO_DATA)")
    added.add_argument("--split", default="test", help="the split whose figures the card states")
    return parser


def _overrides(settings: list[str]) -> dict[str, str]:
    for setting in settings:
        if "=" not in setting:
            raise ZooError(f"--set takes KEY=VALUE. Received: {setting!r}.")
    return dict(setting.split("=", 1) for setting in settings)


def _answer(options, value, text) -> None:
    try:
        print(json.dumps(value) if options.json else text(), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python fails once more on its way out
        raise


if __name__ == "__main__":
    sys.exit(main())
