"""Run the command line so that every failure which the user can mend is one line."""

import os
import sys
import warnings

from multisenge_lib.cli.app import app
from multisenge_lib.errors import MultiSenGEError, first_line

#: The extra that brings a package, for those that a base installation lacks.
EXTRA_OF = {
    "tensorflow": "cpu",
    "tensorboard": "cpu",
    "jax": "jax",
    "xarray": "area",
    "h5netcdf": "area",
    "zarr": "area",
    "odc": "stac",
    "pystac": "stac",
    "pystac_client": "stac",
    "sklearn": "forest",
    "IPython": "book",
    "papermill": "book",
    "jinja2": "book",
}


def _missing_package(error: ModuleNotFoundError) -> str:
    """Say in one line how to get a package that is not installed."""
    # `error.name` may be a module inside the package, such as odc.stac.
    package = (error.name or str(error)).partition(".")[0]
    if package not in EXTRA_OF:
        return f"the package {package} is not installed: install the project again"
    extra = EXTRA_OF[package]
    return (
        f"this command needs the package {package}, of the extra {extra}: in a clone of the "
        f"repository, run: pip install '.[{extra}]'"
    )


#: 128 + 2, as shells report a process that Ctrl-C ended.
_INTERRUPTED = 130


def _one_line_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _fail(message: str, code: int = 2) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def _expand_home(argument: str) -> str:
    """Replace the ~ of `--out=~/maps`, which shells leave as it is, by the user's home folder.

    Otherwise the command would write to a folder named ~.
    """
    option, equals, value = argument.partition("=")
    if argument.startswith("--") and value.startswith("~/"):
        # Unlike `Path.expanduser`, it leaves the value as it is where nobody knows the home.
        return option + equals + os.path.expanduser(value)  # noqa: PTH111
    return argument


def main() -> None:
    """Run the command line; an error that the user can fix is one line and exit code 2."""
    # By default a warning shows a file and a line of the library, which help no user.
    warnings.showwarning = _one_line_warning
    arguments = [_expand_home(argument) for argument in sys.argv[1:]]
    try:
        app(arguments)
    except MultiSenGEError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_missing_package(error))
    except ImportError as error:  # a compiled library that cannot be loaded, for want of memory
        _fail(
            f"a package cannot be loaded ({first_line(error)}): free memory, or install the "
            "project again"
        )
    except KeyboardInterrupt:
        _fail("interrupted", code=_INTERRUPTED)
    except SystemExit as end:
        # Typer ends a command that Ctrl-C interrupts with this status, and says nothing.
        if end.code == _INTERRUPTED:
            _fail("interrupted", code=_INTERRUPTED)
        raise
    # A full disk or a missing permission that no function has put into words of its own.
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
