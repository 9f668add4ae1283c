"""List the names of the registered recipes."""

from __future__ import annotations

from zoo.common.core import registry


def list_models(pattern: str = "*") -> list[str]:
    """Return the names of the registered recipes that match a shell pattern.

    Args:
        pattern: such as "speech/*".

    Examples:
        >>> import zoo
        >>> zoo.list_models("language/*ptb")[:2]
        ['language/feedforward-ptb', 'language/kn5-ptb']
    """
    return registry.names(pattern)
