"""The `zoo` command: find the verbs, parse, run one, map errors to an exit status."""

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
from typing import Any

import zoo.cli
from zoo.cli import decoding
from zoo.cli.output import one_line, print_line
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import modules
from zoo.common.core.verbs import VERBS

# What stands before an argument that came after "--". No argument of a process can hold it.
_AFTER = "\0"
# Where parsed arguments keep which of them were given.
_GIVEN = "given"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: those after `zoo`; None for this process's own.

    Returns:
        The exit status: 0, 1 for an error, 2 for bad usage, 130 for an interruption. With `--json` or
        `--jsonl` an error is told on stdout, as `{"error": ...}`.
    """
    _open_descriptors()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need not be text of its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = parse(arguments)
        return options.verb(options) or 0
    except _BadUsage as error:
        return _tell(arguments, str(error), 2)
    except ZooError as error:
        return _tell(arguments, str(error), 1)
    except KeyboardInterrupt:
        return _tell(arguments, "interrupted", 130)
    except BrokenPipeError:  # the reader of stdout has closed it
        return 1
    except OSError as error:  # a folder that may not be read, an answer onto a full disk
        return _tell(arguments, str(error), 1)


def _tell(arguments: Sequence[str], error: str, status: int) -> int:
    """Print an error as the command's arguments ask for it. Returns the exit status."""
    given = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    if "--json" in given or "--jsonl" in given:
        with suppress(OSError):
            print_line(json.dumps({"error": error}))
            return status
    print("zoo:", one_line(" ".join(error.splitlines())), file=sys.stderr)
    return status


class _Closed(io.TextIOBase):
    """The stdout of a process that began without one."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


def _open_descriptors() -> None:
    """Open what of stdin, stdout and stderr is closed, onto nothing.

    A file that is opened later would get its number, and then what C++ writes to stderr.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which gets the lowest number that is free
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (as long as the process)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed arguments; `verb` is the verb's function.

    Raises:
        ZooError: bad usage, or an option that the preset's decoder does not have. SystemExit: help.
    """
    find_verbs()
    parser, verbs = _parsers()
    if not arguments or arguments[0] not in verbs:
        return parser.parse_args(arguments)
    verb, arguments = verbs[arguments[0]], list(_protect(arguments[1:]))
    decoder_options, preset = decoding.accepts_options(verb), None
    if decoder_options:
        preset = decoding.add_options(verb, arguments)
    options, unknown = verb.parse_known_intermixed_args(arguments)
    flags = {argument.partition("=")[0] for argument in unknown if argument.startswith("--")}
    if decoder_options and flags:
        if preset is None:  # whatever was meant as one is no value of these
            for flag in sorted(flags):
                verb.add_argument(flag, nargs="?")
            preset = verb.parse_known_intermixed_args(arguments)[0].preset
        raise decoding.unknown_option(preset, min(flags))
    if unknown:
        verb.error(f"unrecognized arguments: {' '.join(unknown)}")
    return argparse.Namespace(**{key: _bare(value) for key, value in vars(options).items()})


@functools.cache
def find_verbs() -> None:
    """Import the modules that register verbs: those beside this one, and the `commands` of each package."""
    for module in pkgutil.iter_modules(zoo.cli.__path__, "zoo.cli."):
        importlib.import_module(module.name)
    for module in modules("commands"):
        importlib.import_module(module)


class _BadUsage(ZooError):
    """A command line that does not fit its verb."""


class _Once(argparse.Action):
    """Stores an argument's value, as argparse does, but refuses a second one."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = vars(namespace).setdefault(_GIVEN, set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} must be given once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """A parser that tells an error in one line, and takes an option once."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for action in (None, "store"):
            self.register("action", action, _Once)

    def error(self, message):
        raise _BadUsage(f"{message}. See {self.prog} --help.")


def _parsers() -> tuple[_Parser, dict[str, argparse.ArgumentParser]]:
    """The parser of the command, and those of the verbs by name."""
    parser = _Parser(prog="zoo", description="Compact recurrent models: train, trust, ship.")
    parser.add_argument("--version", action="version", version=f"zoo {zoo.__version__}")
    added = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    parsers = {}
    for name, verb in sorted(VERBS.items()):
        parsers[name] = added.add_parser(
            name,
            help=verb.summary,
            description=verb.summary,
            epilog=f"example:\n  {verb.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parsers[name].set_defaults(verb=verb.run)
        parsers[name].add_argument("--json", action="store_true", help="one JSON object on stdout")
        verb.add_arguments(parsers[name])
    return parser, parsers


def _protect(arguments: list[str]) -> Iterator[str]:
    """The arguments, those after "--" marked: argparse must not take one of them for an option."""
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            yield from (_AFTER + after for after in waiting)
        else:
            yield argument


def _bare(value: object) -> object:
    """A parsed value without the mark of `_protect`."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value.removeprefix(_AFTER) if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main())
