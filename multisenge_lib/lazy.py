"""Packages that load their modules when one of their names is first asked for (PEP 562).

Keras and matplotlib take seconds to import. So a package whose modules need them imports nothing of
them until one of its names is used. It lists these names once, as imports that only editors and
type checkers carry out:

    if TYPE_CHECKING:
        from multisenge_lib.models.build import build_model

    __getattr__, __dir__ = lazy_names(__name__)
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any


def lazy_names(
    package: str, check: Callable[[], None] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions that a package calls `__getattr__` and `__dir__`.

    Args:
        package: the package's own `__name__`. Its names are those that its `__init__.py` imports
            below `if TYPE_CHECKING:`.
        check: called before a module is loaded; it may raise an error with a remedy.

    Examples:
        >>> get, names = lazy_names("multisenge_lib.models")
        >>> get("build_model").__module__
        'multisenge_lib.models.build'
    """
    module_of = _imports_for_type_checkers(package)

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if check is not None:
            check()
        module = importlib.import_module(module_of[name])
        return getattr(module, name)

    def names() -> list[str]:
        return sorted([*vars(sys.modules[package]), *module_of])

    return get, names


def _imports_for_type_checkers(package: str) -> dict[str, str]:
    """The names that a package imports below `if TYPE_CHECKING:`, each with its module."""
    source = importlib.util.find_spec(package).loader.get_source(package)
    module_of = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            for imported in statement.body:
                for alias in imported.names:
                    module_of[alias.name] = imported.module
    return module_of
