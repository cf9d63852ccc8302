"""The pages of the library: the public names of each package, from their docstrings."""

from importlib import import_module
from inspect import isclass, isfunction

from sphinx.application import Sphinx

LIBRARY = "multisenge_lib"
#: Letters of a default that a signature shows in full.
LONGEST_DEFAULT = 70
#: By page, its packages in the order of their layers. On one page they would be too heavy.
PAGES = {
    "api": ("dataset", "models", "training", "results", "paper"),
    "api_around": ("other_networks", "maps", "area", "audit", "sample", "chapters", "tools"),
}


def entries(package: str) -> list[str]:
    """Give directives of Sphinx's autodoc for the functions and classes that a package offers."""
    module = import_module(f"{LIBRARY}.{package}")
    directives = []
    # `dir` also lists the names that a package loads only when they are asked for.
    for name in dir(module):
        if name.startswith("_"):
            continue
        value = getattr(module, name)
        if not (isfunction(value) or isclass(value)):
            continue
        # What a package takes from elsewhere for its own use is described where it comes from.
        if not value.__module__.startswith(f"{LIBRARY}.{package}"):
            continue
        kind = "autofunction" if isfunction(value) else "autoclass"
        directives.append(f".. {kind}:: {LIBRARY}.{package}.{name}")
    return directives


def section(package: str) -> str:
    """Write a package's part of the page: what it is for, then its entries."""
    purpose = import_module(f"{LIBRARY}.{package}").__doc__.strip().splitlines()[0]
    directives = "\n\n".join(entries(package))
    return f"## {package}\n\n{purpose}\n\n```{{eval-rst}}\n{directives}\n```\n"


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the packages below the page's own text."""
    if page in PAGES:
        sections = [section(package) for package in PAGES[page]]
        source[0] += "\n" + "\n".join(sections)


def parameters_of(signature: str) -> list[str]:
    """Divide a signature into its parameters, at the commas that stand in no further brackets.

    Args:
        signature: in its brackets, such as `(size=5120, shares=(0.6, 0.2, 0.2))`.
    """
    parameters = [""]
    depth = 0
    for letter in signature.strip()[1:-1]:
        depth += letter in "([{"
        depth -= letter in ")]}"
        if letter == "," and depth == 0:
            parameters.append("")
        else:
            parameters[-1] += letter
    return [parameter.strip() for parameter in parameters if parameter.strip()]


def shorten_defaults(
    app: Sphinx, what: str, name: str, value: object, options: dict, signature: str, returns: str
) -> tuple[str, str] | None:
    """Write `...` for a default that would fill lines, such as a table of classes."""
    if not signature:
        return None
    shortened = []
    for parameter in parameters_of(signature):
        words, equals, default = parameter.partition("=")
        is_long = len(default) > LONGEST_DEFAULT
        shortened.append(f"{words}=..." if equals and is_long else parameter)
    return f"({', '.join(shortened)})", returns


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", fill)
    app.connect("autodoc-process-signature", shorten_defaults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
