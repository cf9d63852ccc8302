"""Packages that load their modules when one of their names is first asked for (PEP 562).

Keras and matplotlib take seconds to import. So a package whose modules need them lists its names
and loads nothing until one is used.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, module_of: Mapping[str, str], check: Callable[[], None] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions that a package calls `__getattr__` and `__dir__`.

    Args:
        package: the package's own `__name__`.
        module_of: the module that defines each name, below the package.
        check: called before a module is loaded; it may raise an error with a remedy.

    Examples:
        >>> get, names = lazy_names("multisenge_lib.results", {"scores": "metrics"})
        >>> get("scores").__name__
        'scores'
    """

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if check is not None:
            check()
        module = importlib.import_module(f"{package}.{module_of[name]}")
        return getattr(module, name)

    def names() -> list[str]:
        return sorted([*vars(sys.modules[package]), *module_of])

    return get, names
