"""The book's Sphinx extensions, on a small book with the real configuration.

The last test looks at the real book's pages and is skipped where it has not been built.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parent.parent
HTML = PROJECT / "book" / "_build" / "html"

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
PAGE = """
# Computed

$$E = m c^2$$

```{code-cell} ipython3
import time

print("computed at", time.time_ns())
```
"""
PART = """
# Part

```{code-cell} ipython3
from IPython.display import HTML

HTML('<figure class="live" data-part="NAME"><div></div></figure>')
```
"""
#: A cell that waits until the other page's cell runs too; alone it gives up.
MEETING = """
```{code-cell} ipython3
import time
from pathlib import Path

Path("SELF.began").touch()
for _ in range(400):
    if Path("OTHER.began").exists():
        break
    time.sleep(0.05)
print("SELF has met OTHER:", Path("OTHER.began").exists())
```
"""
NUMBERED = """
# Numbered

{numref}`tab-counts` and {numref}`part-greeting` are cited.

```{code-cell} ipython3
:tags: [hide-input]

import pandas as pd
from multisenge_lib.chapters import html
html.table(pd.DataFrame({"patches": [1]}, ["train"]), "Patches & tiles.", label="tab-counts")
```

```{code-cell} ipython3
:tags: [hide-input]

image = "data:image/webp;base64,UklGRg=="
still = f'<img src="{image}" alt="">'
html.interactive_part("greeting", {"words": "x" * 20_000}, still, "A greeting.", "part-greeting")
```

```{code-cell} ipython3
from IPython.display import Markdown

Markdown("[a page](computed.md), [no page](nowhere.md)")
```
"""
FAILING = """
```{code-cell} ipython3
raise ValueError("this cell fails")
```
"""
RESOURCES = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "embed": "src",
    "object": "data",
}
LINKS = {"stylesheet", "preload", "modulepreload", "icon", "preconnect", "dns-prefetch", "prefetch"}
REMOTE = re.compile(r"^\s*(https?:)?//")
REMOTE_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?\s*(?:https?:)?//[^)'\";\s]*")


class Resources(HTMLParser):
    """Collects what a page would ask another host for."""

    def __init__(self):
        super().__init__()
        self.remote = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        wanted = attributes.get(RESOURCES.get(tag, ""))
        if tag == "link" and LINKS & set((attributes.get("rel") or "").split()):
            wanted = attributes.get("href")
        if wanted and REMOTE.match(wanted):
            self.remote.append(wanted)
        self.remote += REMOTE_CSS.findall(attributes.get("style") or "")

    def handle_data(self, data):
        if self.get_starttag_text() and self.get_starttag_text().startswith("<style"):
            self.remote += REMOTE_CSS.findall(data)


def remote_resources(html: Path) -> list[str]:
    remote = []
    for path in html.rglob("*.html"):
        page = Resources()
        page.feed(path.read_text("utf-8"))
        remote += [f"{path.name}: {resource}" for resource in page.remote]
    for path in html.rglob("*.css"):
        remote += [f"{path.name}: {text}" for text in REMOTE_CSS.findall(path.read_text("utf-8"))]
    return remote


class Book:
    """A project with a book of its own, built by the command that users type."""

    def __init__(self, root: Path):
        self.root = root
        for name in ("_ext", "_parts", "_static"):
            shutil.copytree(PROJECT / "book" / name, root / "book" / name)
        shutil.copy(PROJECT / "_config.yml", root / "_config.yml")
        shutil.copy(PROJECT / "book" / "references.bib", root / "book")
        (root / "book" / "_config.yml").symlink_to("../_config.yml")
        self.write("book/index.md", "# Front\n\nPlain text.\n")
        self.write("multisenge_lib/__init__.py", "")
        self.pages({"computed": HEADER + PAGE})

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pages(self, pages: dict[str, str]) -> None:
        for name, text in pages.items():
            self.write(f"book/{name}.md", text)
        files = "".join(f"  - file: {name}\n" for name in pages)
        self.write("book/_toc.yml", f"format: jb-book\nroot: index\nchapters:\n{files}")

    def build(self) -> subprocess.CompletedProcess:
        command = [Path(sys.executable).with_name("jupyter-book"), "build", "book"]
        return subprocess.run(
            command, cwd=self.root, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    def html(self, name: str) -> str:
        return (self.root / "book" / "_build" / "html" / f"{name}.html").read_text("utf-8")

    def computed_at(self) -> str:
        return re.search(r"computed at (\d+)", self.html("computed")).group(1)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("project"))
    (book.root / "book/_parts/greeting.js").write_text("parts.greeting = { mount() {} };")
    part = PART.replace("NAME", "greeting")
    # The pages of the test compute with the library's own functions, found through PYTHONPATH.
    shutil.rmtree(book.root / "multisenge_lib")
    shutil.copytree(PROJECT / "multisenge_lib", book.root / "multisenge_lib")
    computed = PAGE + MEETING.replace("SELF", "computed").replace("OTHER", "part")
    part += MEETING.replace("SELF", "part").replace("OTHER", "computed")
    pages = {"computed": computed, "part": part, "classes": NUMBERED}
    book.pages({name: HEADER + text for name, text in pages.items()})
    finished = book.build()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "WARNING" not in finished.stderr
    return book


@pytest.mark.skipif(os.cpu_count() == 1, reason="one core: pages are executed one by one")
def test_pages_are_executed_at_the_same_time(book):
    assert "computed has met part: True" in book.html("computed")
    assert "part has met computed: True" in book.html("part")


def test_pages_need_nothing_from_other_hosts(book):
    assert remote_resources(book.root / "book" / "_build" / "html") == []
    assert (book.root / "book/_build/html/_static/tex-svg-full.js").is_file()


def test_scripts_are_loaded_by_the_pages_that_use_them(book):
    assert "tex-svg-full.js" in book.html("computed")
    assert "parts/frame.js" in book.html("part") and "parts/greeting.js" in book.html("part")
    assert "parts/" not in book.html("computed")
    assert (book.root / "book/_build/html/_static/parts/greeting.js").is_file()


def test_tables_and_parts_are_numbered_and_can_be_cited(book):
    page = book.html("classes")
    assert re.search(r'href="#tab-counts".*?>Table 1</span>', page)
    assert re.search(r'href="#part-greeting".*?>Fig. 1</span>', page)
    assert re.search(
        r"Table 1 </span><span class=\"caption-text\">Patches &amp; tiles\.</span>", page
    )
    assert '<figure class="live" data-part="greeting" id="part-greeting">' in page
    assert "parts/greeting.js" in page
    assert page.index("Patches &amp; tiles.") < page.index('<table class="table folds')
    # A table inside its caption would be one long name to a screen reader.
    assert page.count("<figcaption>") == page.count("</figcaption>") == 2
    assert page.index("</figcaption>") < page.index('<table class="table folds')


def test_a_toggle_names_what_its_code_makes(book):
    page = book.html("classes")
    assert "Show the code of Table 1" in page and "Show the code of Fig. 1" in page
    assert "Toggle hidden content" not in page


def test_images_and_data_are_files(book):
    page = book.html("classes")
    built = book.root / "book/_build/html"
    image = re.search(r'<img src="(_images/classes-\w+\.webp)"', page).group(1)
    assert (built / image).read_bytes() == b"RIFF"
    data = re.search(r'data-src="(_static/parts/data/classes-\w+\.js)"', page).group(1)
    assert (built / data).read_text().startswith('parts.data["classes-')
    assert "base64" not in page


def test_links_that_a_cell_writes_lead_to_pages(book):
    page = book.html("classes")
    assert '<a href="computed.html">a page</a>' in re.sub(r' class="[^"]*"', "", page)


def test_pages_describe_themselves(book):
    front = book.html("index")
    assert '<meta name="description" content="A reproducible companion' in front
    assert re.search(r"<title>\s*Front\s*</title>", front)
    assert "icon.svg" in front


def test_an_old_address_leads_to_the_new_page(book):
    assert 'url=classes.html"' in book.html("typology")


def test_the_search_page_has_the_words_of_all_pages(book):
    texts = (book.root / "book/_build/html/_static/search_texts.js").read_text("utf-8")
    assert "Patches & tiles." in texts and "are cited" in texts
    assert "search_texts.js" in book.html("search")
    assert "search_texts.js" not in book.html("index")


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img src="http://example/x.png">',
        '<p style="background: url(https://example/x.png)"></p>',
        '<style>@import "https://example/x.css";</style>',
    ],
)
def test_a_remote_resource_is_seen(tmp_path, text):
    (tmp_path / "page.html").write_text(text)
    assert len(remote_resources(tmp_path)) == 1


def test_links_to_other_sites_are_no_resources(tmp_path):
    (tmp_path / "page.html").write_text('<a href="https://example">x</a><img src="x.png">')
    assert remote_resources(tmp_path) == []


def test_pages_are_executed_again_only_when_the_library_changed(book):
    first = book.computed_at()
    assert book.build().returncode == 0
    assert book.computed_at() == first
    book.write("multisenge_lib/changed.py", f"CHANGED = {time.time_ns()}\n")
    assert book.build().returncode == 0
    assert book.computed_at() != first
    assert len(list((book.root / "book" / "_build" / "executed").iterdir())) == 1


def test_a_failing_cell_fails_the_build(tmp_path):
    book = Book(tmp_path)
    book.pages({"computed": HEADER + FAILING})
    finished = book.build()
    assert finished.returncode != 0
    assert "computed" in finished.stderr and "this cell fails" in finished.stderr


def test_an_interactive_part_without_a_script_fails_the_build(tmp_path):
    book = Book(tmp_path)
    book.pages({"part": HEADER + PART.replace("NAME", "unheard_of")})
    finished = book.build()
    assert finished.returncode != 0
    assert "part: its interactive part has no script _parts/unheard_of.js" in finished.stderr


def test_a_page_not_executed_or_not_there_fails_the_build(tmp_path):
    book = Book(tmp_path)
    book.pages({"headless": PAGE, "gone": ""})
    (tmp_path / "book" / "gone.md").unlink()
    finished = book.build()
    assert finished.returncode != 0
    assert "headless: its code was not executed" in finished.stderr
    assert "gone: in _toc.yml, but no page was written" in finished.stderr


@pytest.fixture(scope="module")
def executed():
    sys.path.insert(0, str(PROJECT / "book" / "_ext"))
    import executed

    yield executed
    sys.path.pop(0)


@pytest.mark.parametrize(
    "name",
    [
        "multisenge_lib/models/unet.py",
        "results/sample/s1_6c/metrics.json",
        "constraints.txt",
    ],
)
def test_the_fingerprint_follows_what_pages_compute_from(executed, tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = executed.fingerprint(tmp_path)
    path.write_text("1")
    written = executed.fingerprint(tmp_path)
    path.write_text("2")
    assert len({before, written, executed.fingerprint(tmp_path)}) == 3


def test_the_fingerprint_follows_the_data_and_no_other_files(executed, tmp_path, monkeypatch):
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    unset = executed.fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("text")
    assert executed.fingerprint(tmp_path) == unset
    monkeypatch.setenv("MULTISENGE_ROOT", str(tmp_path))
    set_variable = executed.fingerprint(tmp_path)
    (tmp_path / "labels.tgz").write_text("archive")
    assert len({unset, set_variable, executed.fingerprint(tmp_path)}) == 3


def test_the_fingerprint_follows_every_record_of_another_folder(executed, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "mine"))
    record = tmp_path / "mine" / "sample" / "s1_6c" / "seed2" / "metrics.json"
    record.parent.mkdir(parents=True)
    record.write_text("1")
    first = executed.fingerprint(tmp_path)
    record.write_text("2")
    assert executed.fingerprint(tmp_path) != first


def test_a_folder_without_the_records_that_pages_quote_is_refused(executed, tmp_path, monkeypatch):
    record = Path("sample") / "s1_6c" / "metrics.json"
    for results in ("results", "copied"):
        path = tmp_path / results / record
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    app = SimpleNamespace(srcdir=tmp_path / "book")
    monkeypatch.delenv("MULTISENGE_RESULTS", raising=False)
    executed.check_records(app, None)
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "copied"))
    executed.check_records(app, None)
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "mine"))
    with pytest.raises(executed.MissingRecordsError, match=r"lacks 1 of the 1 records .* unset"):
        executed.check_records(app, None)


@pytest.mark.skipif(not HTML.is_dir(), reason="the book is not built: make book")
def test_the_real_book_needs_nothing_from_other_hosts():
    assert list(HTML.glob("*.html"))
    assert remote_resources(HTML) == []


@pytest.fixture(scope="module")
def api():
    sys.path.insert(0, str(PROJECT / "book" / "_ext"))
    import api

    yield api
    sys.path.pop(0)


def test_the_page_of_the_library_has_every_package_and_its_functions(api):
    packages = {path.parent.name for path in (PROJECT / "multisenge_lib").glob("*/__init__.py")}
    # The README and `multisenge --help` describe the command line.
    assert {package for page in api.PAGES.values() for package in page} == packages - {"cli"}
    assert ".. autofunction:: multisenge_lib.dataset.read_patch" in api.entries("dataset")
    assert ".. autoclass:: multisenge_lib.models.ConvLSTM2D" in api.entries("models")


def test_a_signature_shows_short_defaults_only(api):
    signature = f"(name, shares=(0.6, 0.2), classes=Typology({'LandClass(1, 2), ' * 9}), seed=1)"
    shown, _ = api.shorten_defaults(None, "class", "Dataset", None, {}, signature, "")
    assert shown == "(name, shares=(0.6, 0.2), classes=..., seed=1)"
    assert api.shorten_defaults(None, "module", "dataset", None, {}, None, "") is None


def test_the_list_of_selected_patches_lies_where_the_page_links_to(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "book" / "_ext"))
    import takeaway

    app = SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=tmp_path)
    takeaway.write_selection(app, None)
    address = takeaway.SELECTION.as_posix()
    assert (tmp_path / address).read_text().startswith("patch,tile,split,s2_dates,s1_dates\n")
    assert f'href="{address}"' in (PROJECT / "book" / "selection.md").read_text("utf-8")


def test_the_head_of_a_table_of_pandas_is_one_row(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "book" / "_ext"))
    import access

    layers = pd.DataFrame({"output": ["x"], "parameters": [1]}, pd.Index(["s1"], name="layer"))
    patches = layers.set_index("output", append=True)
    for table in (layers, patches):
        text = access.TWO_ROWS.sub(access.on_one_row, table.to_html())
        head = text[text.index("<thead>") : text.index("</thead>")]
        assert head.count("<tr>") == 1
        assert re.findall(r'<th scope="col">(.*?)</th>', head) == ["layer", "output", "parameters"]
    without_name = layers.rename_axis(None).to_html()
    assert access.TWO_ROWS.sub(access.on_one_row, without_name) == without_name


@pytest.mark.parametrize("path", sorted((PROJECT / "multisenge_lib").rglob("*.py")), ids=str)
def test_sphinx_finds_the_source_of_each_module(path):
    """It cannot parse an f-string in an annotation, and then leaves the links out silently."""
    from sphinx.pycode import ModuleAnalyzer

    ModuleAnalyzer.for_file(str(path), path.stem).analyze()
