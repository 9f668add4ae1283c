"""The `zoo` command: find the verbs, parse, run one, map errors to an exit status."""

from __future__ import annotations

import argparse
import functools
import importlib
import io
import pkgutil
import sys
from collections.abc import Iterator

import zoo.cli
from zoo.cli import decoding
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import modules
from zoo.common.core.verbs import VERBS

# What stands before an argument that came after "--". No argument of a process can hold it.
_AFTER = "\0"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: those after `zoo`; None for this process's own.

    Returns:
        The exit status: 0, 1 for an error, 130 for an interruption. Bad usage exits with 2.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need not be text of its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        return options.verb(options) or 0
    except ZooError as error:
        print("zoo:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("zoo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of stdout has closed it
        return 1
    except OSError as error:  # a folder that may not be read, an answer onto a full disk
        print(f"zoo: {error}", file=sys.stderr)
        return 1


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed arguments; `verb` is the verb's function.

    Raises:
        ZooError: an option that the preset's decoder does not have. SystemExit: bad usage, or help.
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
    """Import the modules that register verbs: those beside this one, and each family's `verbs`."""
    for module in pkgutil.iter_modules(zoo.cli.__path__, "zoo.cli."):
        importlib.import_module(module.name)
    for module in modules("verbs"):
        importlib.import_module(module)


class _Parser(argparse.ArgumentParser):
    """A parser that tells an error in one line."""

    def error(self, message):
        self.exit(2, f"zoo: {message}. See {self.prog} --help.\n")


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
