"""Pages are executed anew when what they compute from has changed, or the build fails.

myst-nb's cache looks only at the source of a page's cells. Here its folder is named by a
fingerprint of everything else a page computes from: library, records, pinned versions and data.
The folder is part of Sphinx's configuration, so another fingerprint makes Sphinx read every page
again; an old folder is removed. Pages that are not in the cache are executed before Sphinx reads
them, several at a time, which myst-nb alone does not do. When the build ends, a page of the table
of contents without HTML, or with code that did not run, is an error.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin
from myst_nb.sphinx_ import NbMetadataCollector
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

from multisenge_lib import paths
from multisenge_lib.errors import MultiSenGEError

#: What pages compute from beside the records, relative to the project's folder.
SOURCES = ("multisenge_lib/**/*.*", "book/data/**/*.*", "constraints.txt")
#: Variables that say which data they compute from.
VARIABLES = ("MULTISENGE_ROOT", "MULTISENGE_LABELS", "KERAS_BACKEND")
#: What kernels are started with, unless set: no talk on stderr that would end up on pages.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
CACHES = "executed"
#: Pages that are executed at one time, where there are as many cores: each may need 2 GB of memory.
MOST_AT_A_TIME = 4
CODE = re.compile(r"^(`{3,}|:{3,})\{code-cell\}", re.MULTILINE)


class NotExecutedError(SphinxError):
    """The book is not what its table of contents and its pages say."""

    category = "Book incomplete"


class MissingRecordsError(SphinxError):
    """The folder of the records lacks those that the pages quote."""

    category = "Records"


def records_folder(project: Path) -> Path:
    """Return the folder of the records: `MULTISENGE_RESULTS`, or the checkout's `results/`.

    Raises:
        MissingRecordsError: the variable names the folder of an unknown user.
    """
    if not os.environ.get("MULTISENGE_RESULTS"):
        return project / "results"
    try:
        return paths.results_dir()  # as the pages find it
    except MultiSenGEError as error:
        raise MissingRecordsError(str(error)) from None


def sources(project: Path) -> Iterator[Path]:
    """Files that pages compute from, in a fixed order.

    Args:
        project: the checkout's folder.

    Yields:
        Paths of existing files.
    """
    patterns = [(project, pattern) for pattern in SOURCES]
    patterns.append((records_folder(project), "**/*.*"))
    for folder, pattern in patterns:
        files = (path for path in folder.glob(pattern) if path.is_file())
        yield from sorted(path for path in files if path.suffix != ".pyc")


def check_records(app: Sphinx, config: Config) -> None:
    """Refuse a folder of records that lacks records of the sample, before any page is executed.

    The pages' sentences and tables quote the records that the repository holds.

    Raises:
        MissingRecordsError: says how many are missing, and the remedy.
    """
    project = Path(app.srcdir).parent
    folder = records_folder(project)
    ours = sorted((project / "results").glob("*/**/metrics.json"))
    names = [record.relative_to(project / "results") for record in ours]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise MissingRecordsError(
            f"the folder that MULTISENGE_RESULTS names, {folder}, lacks {len(missing)} of the "
            f"{len(names)} records that the pages quote, for example {missing[0]}: "
            f"unset MULTISENGE_RESULTS, or copy the contents of results/ there"
        )


def data_state(value: str) -> str:
    """What can be told of a data folder or archive without reading it: names, sizes and times.

    Args:
        value: the path in an environment variable, or text that names no path.

    Returns:
        One line per file or folder, two levels deep.
    """
    path = Path(value).expanduser()
    if not value or not path.exists():
        return value
    return "\n".join(
        f"{item} {item.stat().st_size} {item.stat().st_mtime_ns}"
        for item in (path, *(sorted(path.iterdir()) if path.is_dir() else ()))
    )


def fingerprint(project: Path) -> str:
    """Short hash of all that pages compute from, beside their own source.

    Args:
        project: the checkout's folder.

    Returns:
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sources(project):
        digest.update(f"{os.path.relpath(path, project)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    for name in VARIABLES:
        digest.update(f"{name} {data_state(os.environ.get(name, ''))}\n".encode())
    return digest.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    """Point myst-nb at the cache of the present fingerprint, and drop the caches of others."""
    caches = Path(app.outdir).parent / CACHES
    cache = caches / fingerprint(Path(app.srcdir).parent)
    for old in set(caches.glob("*")) - {cache}:
        shutil.rmtree(old)
    config.nb_execution_cache_path = str(cache)


def has_code(source: Path) -> bool:
    """Tell whether a page holds code to execute."""
    return source.suffix == ".ipynb" or bool(CODE.search(source.read_text("utf-8")))


def is_excluded(source: Path, config: Config) -> bool:
    """Tell whether the configuration excludes a page from being executed."""
    path = PurePosixPath(source.as_posix())
    return any(path.match(pattern) for pattern in config.nb_execution_excludepatterns)


def is_cached(notebook: NotebookNode, cache: JupyterCacheAbstract) -> bool:
    """Tell whether the outputs of a notebook's code are in the cache."""
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def stale_notebooks(
    sources: list[Path], config: Config, cache: JupyterCacheAbstract
) -> dict[Path, NotebookNode]:
    """Read the pages whose code must be executed.

    Args:
        sources: the pages' files.
        config: what the build is told.
        cache: the outputs that are there already.

    Returns:
        Each page's notebook, without outputs.
    """
    notebooks = {}
    for source in sources:
        is_notebook = is_myst_markdown_notebook(source.read_text("utf-8")) and has_code(source)
        if not is_notebook or is_excluded(source, config):
            continue
        notebook = myst_nb_reader_plugin(str(source))
        if not is_cached(notebook, cache):
            notebooks[source] = notebook
    return notebooks


def execute_several(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Execute the pages that are not in the cache, several at a time, and put them there.

    myst-nb then finds their outputs. It executes one page after the other, and most code of a page
    keeps one core busy. A page that fails is left to myst-nb, which says why.

    Args:
        app: the build.
        env: its environment.
        pages: names of the pages that Sphinx is about to read.
    """
    at_a_time = min(os.cpu_count() or 1, MOST_AT_A_TIME)
    cache = get_cache(app.config.nb_execution_cache_path)
    notebooks = stale_notebooks([Path(env.doc2path(page)) for page in pages], app.config, cache)
    if at_a_time == 1 or len(notebooks) < 2:
        return

    def execute(source: Path) -> ExecutionResult:
        logging.getLogger(__name__).info(f"executing {source.name}")
        timeout = app.config.nb_execution_timeout
        folder = str(source.parent)
        return single_nb_execution(notebooks[source], folder, timeout, allow_errors=False)

    with ThreadPoolExecutor(at_a_time) as pool:
        # The results come in the order of the pages, and only this thread writes to the cache.
        for source, result in zip(notebooks, pool.map(execute, notebooks), strict=True):
            if result.err is not None:
                pool.shutdown(cancel_futures=True)
                return
            seconds = {"execution_seconds": result.time}
            bundle = CacheBundleIn(result.nb, str(source), data=seconds)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def unexecuted(app: Sphinx) -> Iterator[str]:
    """Pages with code that neither ran nor is excluded from running.

    Args:
        app: the finished build.

    Yields:
        One line per page: its name and what to do.
    """
    for page in sorted(app.env.found_docs):
        source = Path(app.env.doc2path(page))
        if is_excluded(source, app.config):
            continue
        record = NbMetadataCollector.get_exec_data(app.env, page)
        if has_code(source) and not (record and record["succeeded"]):
            yield f"{page}: its code was not executed (is the jupytext header complete?)"


def unwritten(app: Sphinx) -> Iterator[str]:
    """Pages of the table of contents, where the build has one, without HTML.

    Args:
        app: the finished build.

    Yields:
        One line per page.
    """
    for page in getattr(app.config, "external_site_map", ()):
        if not Path(app.builder.get_outfilename(page)).is_file():
            yield f"{page}: in _toc.yml, but no page was written"


def check(app: Sphinx, exception: Exception | None) -> None:
    """Refuse a finished build that lacks a page or an execution.

    Raises:
        NotExecutedError: names the pages.
    """
    if exception is None and app.builder.name == "html":
        problems = [*unwritten(app), *unexecuted(app)]
        if problems:
            raise NotExecutedError("\n  ".join(["", *problems]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    app.connect("config-inited", check_records)
    app.connect("config-inited", choose_cache)
    app.connect("env-before-read-docs", execute_several)
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
