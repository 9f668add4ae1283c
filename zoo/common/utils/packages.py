"""Packages that a part of the zoo needs: those of the extras in pyproject.toml."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from types import ModuleType

from zoo.common.core.errors import ZooError


def import_package(module: str, package: str, extra: str) -> ModuleType:
    """Return a module of an optional package.

    Args:
        module: its name. package: whose it is. extra: of pyproject.toml, which installs it.

    Raises:
        ZooError: it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise _not_installed(package, extra) from None


def check_packages(packages: Iterable[str], extra: str) -> None:
    """Check that packages of an extra are installed, before work begins that needs them at its end.

    Raises:
        ZooError: one is not, with the command that installs it.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise _not_installed(package, extra)


def _not_installed(package: str, extra: str) -> ZooError:
    return ZooError(f"{package} is not installed: pip install 'recurrent-zoo[{extra}]'")
