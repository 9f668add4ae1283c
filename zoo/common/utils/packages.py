"""Import optional packages. The extras in pyproject.toml install them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from types import ModuleType

from zoo.common.core.errors import ZooError


def import_package(module: str, package: str, extra: str) -> ModuleType:
    """Return a module of an optional package.

    Args:
        module: name of the module.
        package: name of the package.
        extra: extra of pyproject.toml that installs the package.

    Raises:
        ZooError: the package is not installed. The message has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise _not_installed(package, extra) from None


def check_packages(packages: Iterable[str], extra: str) -> None:
    """Check that packages are installed, before work that needs them at its end.

    Args:
        packages: import names of the packages.
        extra: extra of pyproject.toml that installs them.

    Raises:
        ZooError: a package is not installed. The message has the command that installs it.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise _not_installed(package, extra)


def _not_installed(package: str, extra: str) -> ZooError:
    return ZooError(f"{package} is not installed: pip install 'recurrent-zoo[{extra}]'")
