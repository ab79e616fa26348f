"""Packages that only some formats need, and extras that bring them."""

import importlib
from typing import Any

from ...core.errors import SpecError


def required(module: str, package: str, what: str) -> Any:
    """A module that `what` needs. Raises SpecError with what to install where it is not: a package, or our extra."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SpecError(f"{what} needs the package {module}; install it with pip install '{package}'") from None
