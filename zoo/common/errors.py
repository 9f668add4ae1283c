"""The one exception the zoo raises for what a person can put right."""

import difflib
from collections.abc import Iterable


class ZooError(ValueError):
    """A mistake in the input, the data or the request, told in one line.

    The message says what is wrong, what is valid and what was received. The command line prints it
    and exits with status 1; anything else that is raised is a defect of the zoo.
    """


def nearest(name: str, valid: Iterable[str]) -> str:
    """Words for an error about an unknown `name`: the valid names most like it, or all of them."""
    valid = sorted(valid)
    close = difflib.get_close_matches(name, valid, n=3, cutoff=0.4)
    if close:
        return "Did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "Valid: " + ", ".join(repr(name) for name in valid) + "."
