"""The structure: layers of packages, a core that imports nothing around it, unambiguous names."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "multisenge_lib"
#: What the paper needs, from the bottom up; packages of one layer do not know each other.
CORE = (
    {"errors", "lazy"},
    {"paths"},
    {"files", "software", "memory", "progress_bars"},
    {"dataset", "paper"},
    {"models"},
    {"results"},
    {"training"},
)
#: What stands around the core.
AROUND = (
    {"other_networks"},
    {"area", "audit", "sample"},
    {"maps"},
    {"tools"},
    {"chapters"},
    {"cli"},
    {"__main__"},
)
LAYER = {package: level for level, layer in enumerate(CORE + AROUND) for package in layer}
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")
PACKAGES = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))


def module_of(path: Path) -> tuple[str, ...]:
    """`("dataset", "labels")` for `multisenge_lib/dataset/labels.py`."""
    return path.relative_to(LIBRARY).with_suffix("").parts


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Each import from the library: its source below `multisenge_lib`, the name, the line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("multisenge_lib"):
            source = tuple(node.module.split(".")[1:])
            for alias in node.names:
                yield source or (alias.name,), alias.name, node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("multisenge_lib"):
                    yield tuple(alias.name.split(".")[1:]), alias.name, node.lineno


def by_module(test):
    return pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(module_of(path)))(
        test
    )


def test_every_package_has_a_layer():
    assert {module_of(path)[0] for path in MODULES} == set(LAYER)


@by_module
def test_a_package_imports_only_from_below_and_by_public_names(path):
    package = module_of(path)[0]
    for source, name, line in imports(path):
        if source[0] == package:
            continue
        assert LAYER[source[0]] < LAYER[package], f"{path}:{line} imports upward from {source[0]}"
        assert not name.startswith("_"), f"{path}:{line} takes {name}, private to {source[0]}"
        assert len(source) == 1, f"{path}:{line} reaches into the package: {'.'.join(source)}"


@by_module
def test_the_core_imports_nothing_around_it(path):
    core = set().union(*CORE)
    if module_of(path)[0] in core:
        assert {source[0] for source, _, _ in imports(path)} <= core


def inner_imports(package: str) -> dict[str, set[str]]:
    """By module of a package, the other modules of it that it imports."""
    edges = {}
    for path in MODULES:
        module = module_of(path)
        if len(module) == 2 and module[0] == package:
            sources = set()
            for source, name, _ in imports(path):
                if source[0] == package:
                    sources.add(source[1] if len(source) > 1 else name)
            edges[module[1]] = sources - {module[1]}
    return edges


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_circle_inside_a_package(package):
    edges = inner_imports(package)
    while True:
        free = {module for module, sources in edges.items() if not sources & set(edges)}
        if not free:
            break
        edges = {module: sources for module, sources in edges.items() if module not in free}
    assert not edges, f"these import each other: {sorted(edges)}"


def test_no_function_or_class_has_the_name_of_a_module():
    ambiguous = []
    for path in MODULES:
        package = module_of(path)[:-1]
        modules = {module_of(other)[-1] for other in MODULES if module_of(other)[:-1] == package}
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in modules:
                ambiguous.append(f"{path}:{node.lineno} {node.name}")
    assert not ambiguous


def test_no_two_modules_have_one_file_name():
    names = Counter(path.name for path in MODULES)
    assert [name for name, count in names.items() if count > 1] == []


@by_module
def test_the_library_reads_nothing_from_the_book_or_the_benchmarks(path):
    # It starts benchmarks/run.py of the current folder, and names the extra `book`.
    if module_of(path)[0] == "cli":
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            first = Path(node.value).parts[:1] if "\n" not in node.value else ()
            assert first not in (("book",), ("benchmarks",)), f"{path}:{node.lineno} {node.value}"


def nested_comprehensions(tree: ast.Module) -> int:
    kinds = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    nested = 0
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            nested += any(isinstance(inner, kinds) for inner in ast.walk(node) if inner is not node)
    return nested


def packed_assignments(tree: ast.Module) -> int:
    """Statements such as `a, b = x, y`: two steps on one line."""
    packed = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            packed += any(isinstance(target, ast.Tuple) for target in node.targets)
    return packed


def test_density_is_printed(capsys):
    """Not a rule: how dense the code is. Other codebases have less than 0.8 and 0.19."""
    with capsys.disabled():
        print("\npackage         packed, nested per 100 statements; comments per 100 lines")
        for package in sorted(LAYER):
            paths = [path for path in MODULES if module_of(path)[0] == package]
            trees = [parsed(path) for path in paths]
            statements = sum(isinstance(n, ast.stmt) for tree in trees for n in ast.walk(tree))
            lines = [line.strip() for path in paths for line in path.read_text("utf-8").split("\n")]
            comments = sum("# " in line or line.startswith("#:") for line in lines)
            code = sum(bool(line) for line in lines)
            packed = 100 * sum(map(packed_assignments, trees)) / statements
            nested = 100 * sum(map(nested_comprehensions, trees)) / statements
            print(f"{package:<15} {packed:6.2f} {nested:6.2f} {100 * comments / code:6.1f}")
