"""The `zoo` command: find the verb, parse its arguments, run it, map errors to an exit status."""

from __future__ import annotations

import argparse
import errno
import functools
import importlib
import io
import itertools
import json
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import zoo.cli
from zoo.cli import decoding
from zoo.cli.output import one_line, print_line
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import modules
from zoo.common.core.verbs import EXTENSIONS, VERBS, Verb

# Prefix of arguments after "--". Arguments of a process cannot contain it.
_AFTER = "\0"
# Attribute of parsed arguments with the names of those that were given.
_GIVEN = "given"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the arguments after `zoo`; None for those of this process.

    Returns:
        The exit status: 0, 1 for an error, 2 for bad usage, 130 for an interruption. With `--json` or
        `--jsonl` an error is printed to stdout, as `{"error": ...}`.
    """
    _open_descriptors()
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names need not be valid in its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = parse(arguments)
        return options.verb(options) or 0
    except _BadUsage as error:
        return _print_error(arguments, str(error), 2)
    except ZooError as error:
        return _print_error(arguments, str(error), 1)
    except KeyboardInterrupt:
        return _print_error(arguments, "interrupted", 130)
    except BrokenPipeError:  # the reader of stdout has closed it
        return 1
    except OSError as error:  # such as an unreadable folder, or a full disk
        return _print_error(arguments, str(error), 1)


def _print_error(arguments: Sequence[str], error: str, status: int) -> int:
    """Print an error in the form that the arguments request, and return the exit status."""
    given = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    if "--json" in given or "--jsonl" in given:
        with suppress(OSError):
            print_line(json.dumps({"error": error}))
            return status
    print("zoo:", one_line(" ".join(error.splitlines())), file=sys.stderr)
    return status


class _Closed(io.TextIOBase):
    """The stdout of a process that was started without one."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


def _open_descriptors() -> None:
    """Open closed descriptors of stdin, stdout and stderr on the null device.

    Otherwise a file that is opened later would get the number, and receive what C++ writes to stderr.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (stays open)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed arguments; `verb` is the function to call with them.

    Raises:
        ZooError: bad usage, or an option that the preset's decoder does not have.
        SystemExit: help was printed.
    """
    verb = _find_verb(arguments[0]) if arguments else None
    if verb is None:
        find_verbs()
        return _command_parser().parse_args(arguments)
    parser, arguments = _verb_parser(verb), list(_protect(arguments[1:]))
    decoder_options, preset = decoding.accepts_options(parser), None
    if decoder_options:
        preset = decoding.add_options(parser, arguments)
    options, unknown = parser.parse_known_intermixed_args(arguments)
    flags = {argument.partition("=")[0] for argument in unknown if argument.startswith("--")}
    if decoder_options and flags:
        if preset is None:  # an argument that looked like a value of a flag is the preset
            for flag in sorted(flags):
                parser.add_argument(flag, nargs="?")
            known = vars(parser.parse_known_intermixed_args(arguments)[0])
            preset = known.get("preset") or known["recipe"]
        raise decoding.unknown_flag(parser, preset, min(flags))
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return argparse.Namespace(**{key: _bare(value) for key, value in vars(options).items()})


def find_verbs() -> None:
    """Import all modules that register verbs: those of this package, and the modules `commands`."""
    for module in pkgutil.iter_modules(zoo.cli.__path__, "zoo.cli."):
        importlib.import_module(module.name)
    _import_commands()


def _find_verb(name: str) -> Verb | None:
    """Return a verb. Other verbs of this package are not imported."""
    if name.isidentifier() and Path(__file__).with_name(f"{name}.py").exists():
        importlib.import_module(f"zoo.cli.{name}")
    _import_commands()
    return VERBS.get(name)


@functools.cache
def _import_commands() -> None:
    for module in modules("commands"):
        importlib.import_module(module)


def _run(verb: Verb, options: argparse.Namespace) -> int | None:
    """Run a verb, unless one of its extensions handles the options."""
    for extension in EXTENSIONS.get(verb.name, ()):
        status = extension.run(options)
        if status is not None:
            return status
    return verb.run(options)


class _BadUsage(ZooError):
    """A command line that does not fit its verb."""


class _Once(argparse.Action):
    """Store the value of an argument, and refuse a second one."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = vars(namespace).setdefault(_GIVEN, set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} must be given once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, and accepts an option once."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for action in (None, "store"):
            self.register("action", action, _Once)

    def error(self, message):
        raise _BadUsage(f"{message}. See {self.prog} --help.")


def _command_parser() -> _Parser:
    """Return the parser of the command without the arguments of verbs: for help and errors."""
    parser = _Parser(prog="zoo", description="Compact recurrent models: train, evaluate, export.")
    parser.add_argument("--version", action="version", version=f"zoo {zoo.__version__}")
    added = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name, verb in sorted(VERBS.items()):
        added.add_parser(name, help=verb.summary)
    return parser


def _verb_parser(verb: Verb) -> _Parser:
    """Return the parser of a verb."""
    parser = _Parser(
        prog=f"zoo {verb.name}",
        description=verb.summary,
        epilog=f"example:\n  {verb.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(verb=functools.partial(_run, verb))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    verb.add_arguments(parser)
    for extension in EXTENSIONS.get(verb.name, ()):
        extension.add_arguments(parser)
    return parser


def _protect(arguments: list[str]) -> Iterator[str]:
    """Yield the arguments. Those after "--" are marked, since argparse might take them for options.

    Raises:
        _BadUsage: the value of an option is "--", which argparse would drop.
    """
    waiting = iter(arguments)
    for argument in waiting:
        option, _, value = argument.partition("=")
        if argument == "--":
            yield from (_AFTER + after for after in waiting)
        elif option.startswith("--") and value == "--":
            raise _BadUsage(f"argument {option}: expected a value. Received: '--'.")
        else:
            yield argument


def _bare(value: object) -> object:
    """Return a parsed value without the mark of `_protect`."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value.removeprefix(_AFTER) if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main())
