"""Print an error as one line with the usage of the script. The modules graphs and inputs install it."""

import sys
from pathlib import Path

MAX_LENGTH = 300


def report(kind, error, traceback):
    """Print an exception: of a check in a TensorFlow graph, its message only."""
    text = " ".join(str(error).split())
    check = text.partition("assertion failed: ")[2].partition(" [[")[0]
    usage = (sys.modules["__main__"].__doc__ or "").partition("\n")[0]
    script = Path(sys.argv[0]).name
    reason = (check or f"{kind.__name__}: {text}")[:MAX_LENGTH]
    print(f"{script}: {reason} ({usage})", file=sys.stderr)


sys.excepthook = report
