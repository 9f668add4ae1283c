"""The `zoo` command, also as `python -m zoo`."""

import sys


def run() -> int:
    """Run the command line. An interruption prints one line, also during the imports."""
    try:
        from zoo.cli.main import main

        return main()
    except KeyboardInterrupt:
        print("zoo: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
