"""The networks by name, and how a network of your own is found: a network is one file.

A network is a function `build(series, classes)` from the standardised series of each sensor to
logits. Everything around it is the same for all networks: standardisation, loss, batches, schedule,
records, maps and comparisons. See `find_builder` for what the function takes and gives.

A file of your own is one file: its hash says in runs and records which network it was, so it must
not import others from its own folder or the current one.

The networks of the table below are found by their import path, and yours by the path of its file,
so this module knows none of them when it is imported.
"""

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from multisenge_lib.errors import ExperimentError, printable

#: The function that a network's file defines, unless another is named.
DEFAULT_FUNCTION = "build"
#: Its parameters, and those that it may have besides; see `find_builder`.
REQUIRED_PARAMETERS = ("series", "classes")
OPTIONAL_PARAMETERS = ("days", "choices")


@dataclass(frozen=True)
class BuiltInNetwork:
    """A network that comes with the library.

    Attributes:
        title: its name in tables; the sensors are added to it.
        module: the import path of its module.
        function: name of the function that builds it.
    """

    title: str
    module: str
    function: str = DEFAULT_FUNCTION


#: The paper's two networks first, then those of others.
NETWORKS: Mapping[str, BuiltInNetwork] = MappingProxyType(
    {
        "conv_lstm": BuiltInNetwork(
            "ConvLSTM", "multisenge_lib.models.paper_networks", "build_conv_lstm"
        ),
        "inception": BuiltInNetwork(
            "ConvLSTM+Inception", "multisenge_lib.models.paper_networks", "build_inception"
        ),
        "unet": BuiltInNetwork("One-date U-Net", "multisenge_lib.other_networks.single_date"),
        "stack": BuiltInNetwork("Stacked U-Net", "multisenge_lib.other_networks.stacked_dates"),
        "unet3d": BuiltInNetwork("3D U-Net", "multisenge_lib.other_networks.unet3d"),
        "utae": BuiltInNetwork("U-TAE", "multisenge_lib.other_networks.utae"),
    }
)
#: The networks of the paper (section 3).
PAPER_NETWORKS = ("conv_lstm", "inception")

#: The random forest of `other_networks`: an experiment's network that is not built with Keras.
FOREST = "forest"

#: First parts of the names of experiments that a file of your own must not have.
_RESERVED_LABELS = (*NETWORKS, FOREST, "s1", "s2", "s1s2")


@dataclass(frozen=True)
class NetworkFile:
    """A network in a file of your own.

    Attributes:
        path: path of the Python file.
        function: name of the function that builds the network.
    """

    path: Path
    function: str

    @property
    def label(self) -> str:
        """What the names of its experiments begin with: letters, digits and `_`.

        It is the file's name without `.py`, then `_` and the function's name unless that is
        `build`; any other character becomes `_`.
        """
        label = self.path.stem
        if self.function != DEFAULT_FUNCTION:
            label += f"_{self.function}"
        return re.sub(r"[^A-Za-z0-9_]", "_", label)

    def digest(self) -> str:
        """Hash the file's content, which is all of the network.

        Raises:
            ExperimentError: the file cannot be read, or imports others from its folder.
        """
        try:
            if self.path.exists() and not self.path.is_file():
                raise OSError("it is not a file")  # a pipe would be waited for
            content = self.path.read_bytes()
        except (OSError, ValueError) as error:  # a ValueError where the name holds a zero byte
            reason = getattr(error, "strerror", None) or error
            raise ExperimentError(
                f"{printable(self.path)} cannot be read ({reason}): name the file of a "
                f"network, such as my_networks.py:build, or one of {', '.join(NETWORKS)}"
            ) from None
        helper = _imported_neighbour(self.path, content)
        if helper:
            raise ExperimentError(
                f"{printable(self.path)} imports {helper} from its own folder or the current one: "
                "a network is one file, since runs and records know it by the hash of this file: "
                f"copy what it needs of {helper} into it"
            )
        return hashlib.sha256(content).hexdigest()


def _imported_neighbour(path: Path, content: bytes) -> str:
    """Name the first module that a file imports from its own or the current folder; empty if none.

    Edited, such a module would make another network of the same hash.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in texts
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""  # the import of the file says what is wrong with it
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # from .helper import x
                return "." * node.level + (node.module or "")
            names = [node.module]
        for name in names:
            package = name.partition(".")[0]
            if _is_neighbour(package, path):
                return package
    return ""


def _is_neighbour(package: str, path: Path) -> bool:
    """Return whether a package lies beside a file, or in the current folder, and not elsewhere."""
    # The library, which runs and records know by its own hash, may lie beside the file. A file
    # called torch.py that imports torch means the installed package, and not itself.
    if package in ("multisenge_lib", path.stem) or package in sys.builtin_module_names:
        return False
    folder = path.absolute().parent
    # A notebook's kernel and `python -c` look into the current folder first, a script into its own.
    beside = PathFinder.find_spec(package, [str(folder), str(Path.cwd())])
    if beside is None:
        return False
    # A folder without an __init__.py is a package only where there is no other of its name.
    return _has_code(beside) or not _is_installed(package, folder)


def _has_code(specification: ModuleSpec | None) -> bool:
    """Return whether a module is a .py file or a folder with an __init__.py."""
    return specification is not None and specification.origin is not None


def _is_installed(package: str, folder: Path) -> bool:
    """Return whether Python finds a package elsewhere than in this folder and the current one."""
    return _has_code(PathFinder.find_spec(package, _paths_of_packages(folder)))


def _paths_of_packages(folder: Path) -> list[str]:
    """List where Python looks for modules, without this folder and the current one."""
    left_out = (folder.resolve(), Path.cwd())
    return [folder for folder in sys.path if Path(folder).resolve() not in left_out]


def parse_network(network: str) -> BuiltInNetwork | NetworkFile:
    """Find out which network is meant.

    Args:
        network: a name of `NETWORKS`, or a file of your own as `my_networks.py:build`; the function
            can be left out where it is `build`.

    Raises:
        ExperimentError: it is neither, or the file's name is that of another network.
    """
    if network in NETWORKS:
        return NETWORKS[network]
    match = re.fullmatch(r"(.+\.py)(?::(\w+))?", network)
    if match is None:
        raise ExperimentError(
            f"there is no network {network!r}: choose one of {', '.join(NETWORKS)}, or name a file "
            "and its function, such as my_networks.py:build"
        )
    path, function = match.groups()
    file = NetworkFile(Path(path), function or DEFAULT_FUNCTION)
    # `my_s2.py` with both sensors would have the name of `my.py` with Sentinel-2.
    if file.label.lower().endswith(("_s1", "_s2")):
        raise ExperimentError(
            f"{printable(network)}: experiments of a network named {file.label} would be taken for "
            "those of one sensor: rename the file or the function, so that the name does not end "
            "in _s1 or _s2"
        )
    # Names of folders are compared without regard to case, as some file systems do.
    if file.label.lower() in _RESERVED_LABELS:
        raise ExperimentError(
            f"{printable(network)}: experiments of a network named {file.label} exist already: "
            "rename the file"
        )
    return file


def find_builder(network: str, digest: str = "") -> Callable[..., Any]:
    """Return the function that builds a network.

    The function takes

    - `series`: standardised images by sensor, Keras tensors `(batch, dates, height, width, bands)`;
    - `classes`: how many classes there are;
    - `days`, if it has a parameter of this name: the day of the year of each image, 1 to 366, by
      sensor, Keras tensors `(batch, dates)`;
    - `choices`, if it has a parameter of this name: the `Experiment`, for the choices that the
      paper leaves open.

    All are given by name, so their order does not matter. It returns logits, `(batch, height,
    width, classes)`; channel k is the class with id k + 1.

    Args:
        network: see `parse_network`.
        digest: hash that the file must have; empty: do not check.

    Raises:
        ExperimentError: there is no such network, or its file cannot be imported, has changed, or
            has no such function.
    """
    parsed = parse_network(network)
    module = import_network(network, digest)
    builder = getattr(module, parsed.function, None)
    if not callable(builder):
        others = [
            name
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise ExperimentError(
            f"{printable(network)}: there is no function {parsed.function} in it (functions there: "
            f"{', '.join(others) or 'none'}): define {parsed.function}(series, classes), which "
            "returns the logits, or name another function, as in my_networks.py:my_function"
        )
    _check_parameters(network, parsed.function, builder)
    return builder


def _check_parameters(network: str, function: str, builder: Callable[..., Any]) -> None:
    """Refuse a function that lacks a parameter of the protocol, or needs one that is not of it."""
    parameters = inspect.signature(builder).parameters
    missing = [name for name in REQUIRED_PARAMETERS if name not in parameters]
    if missing:
        raise ExperimentError(
            f"{printable(network)}: {function} has no parameter {' and '.join(missing)}: "
            f"define it as {function}(series, classes)"
        )
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ExperimentError(
                f"{printable(network)}: {function} takes {name} by position alone, and parameters "
                "are given by name: remove the / from its definition"
            )
        is_known = name in (*REQUIRED_PARAMETERS, *OPTIONAL_PARAMETERS)
        if not is_known and parameter.default is parameter.empty:
            raise ExperimentError(
                f"{printable(network)}: {function} has a required parameter {name}, which is never "
                f"passed: give it a default, or define {function}(series, classes), if you like "
                f"with {' and '.join(OPTIONAL_PARAMETERS)}"
            )


def import_network(network: str, digest: str = "") -> ModuleType:
    """Import the module of a network, which also registers the layers that it defines.

    Arguments and errors are those of `find_builder`.
    """
    parsed = parse_network(network)
    if isinstance(parsed, NetworkFile):
        return _import_file(parsed, digest)
    return importlib.import_module(parsed.module)


def takes_days(network: str, digest: str = "") -> bool:
    """Return whether a network asks for the days of the year; see `find_builder`."""
    if network == FOREST:
        return False
    return "days" in inspect.signature(find_builder(network, digest)).parameters


def _import_file(file: NetworkFile, digest: str) -> ModuleType:
    """Import a file of the user's, once for each content that it has had."""
    current = file.digest()
    if digest and current != digest:
        raise ExperimentError(
            f"{printable(file.path)} has changed since the experiment was made: make the "
            "experiment again, with get_experiment or with_network"
        )
    # The digest is in the name: two files of one name, or two states of a file, are two modules.
    name = f"multisenge_network_{file.label}_{current[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, file.path)
    module = importlib.util.module_from_spec(specification)
    # Keras looks up classes that are to be saved in the module's entry here.
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except KeyboardInterrupt:
        del sys.modules[name]  # half of the module would be found the next time
        raise
    except (Exception, SystemExit) as error:  # the file may also end with sys.exit()
        del sys.modules[name]
        reason = " ".join(str(error).split())
        raise ExperimentError(
            f"{printable(file.path)} cannot be imported ({type(error).__name__}: {reason}): run it "
            f"with python {printable(file.path)} to see where"
        ) from None
    return module
