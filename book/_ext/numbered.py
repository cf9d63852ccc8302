"""Tables and interactive parts get a number and a caption, as figures do.

Sphinx numbers the figures of a page, and myst-nb makes figures of a cell's output. A table that a
cell shows as HTML is unknown to both. Here the output of `html.table` and `html.interactive_part`
becomes a node that Sphinx counts: "Table 3.2" or "Fig. 3.4". A name given to either function is a
label, so that {numref}`NAME` cites it.
"""

import re
from html import unescape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

TABLE = re.compile(
    r'^<table (?:id="(?P<name>[^"]+)" )?(?P<rest>class="table folds[^>]*>)'
    r"<caption>(?P<caption>.*?)</caption>",
    re.DOTALL,
)
PART = re.compile(
    r'^<figure class="live" data-part="(?P<part>\w+)"(?: id="(?P<name>[^"]+)")?>(?P<inside>.*)'
    r"<figcaption><p>(?P<caption>.*?)</p></figcaption></figure>$",
    re.DOTALL,
)


class NumberedTable(nodes.figure):
    """A table that a cell shows; a kind of figure, so that Sphinx writes its caption like one."""


class NumberedPart(nodes.figure):
    """An interactive part."""


def html_of(node: nodes.raw) -> str:
    """Give the HTML of a raw node, or nothing where it holds another format."""
    return node.astext().strip() if node.get("format") == "html" else ""


class NumberOutputs(SphinxTransform):
    """Turn the HTML of tables and parts into nodes with a caption."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Replace each raw node that holds a table or a part."""
        for raw in list(self.document.findall(nodes.raw)):
            source = html_of(raw)
            if match := TABLE.match(source):
                table = f"<table {match['rest']}{source[match.end() :]}"
                # docutils closes a caption only where its figure ends. A box that scrolls must be
                # within reach of the keyboard.
                inside = f'</figcaption><div class="table-scroll" tabindex="0">{table}</div>'
                self.replace(raw, NumberedTable(), match, inside, "tab")
            elif match := PART.match(source):
                part = NumberedPart(part=match["part"])
                self.replace(raw, part, match, match["inside"], "part")

    def replace(
        self, raw: nodes.raw, numbered: nodes.figure, match: re.Match, inside: str, kind: str
    ) -> None:
        """Put a numbered node in the place of a raw one.

        Args:
            raw: what the cell showed.
            numbered: the empty node that takes its place.
            match: with the caption, and the name if the author gave one.
            inside: the HTML without the caption.
            kind: how a label begins that is made here, because the author gave none.
        """
        caption = nodes.caption("", unescape(match["caption"]))
        content = nodes.raw("", inside, format="html")
        # A table is read from its caption down, a picture first.
        order = [caption, content] if kind == "tab" else [content, caption]
        numbered.extend(order)
        if match["name"]:
            numbered["names"].append(nodes.fully_normalize_name(match["name"]))
            self.document.note_explicit_target(numbered)
        else:
            # Sphinx counts only what has an id.
            self.document.set_id(numbered, suggested_prefix=f"{kind}-")
        # Not `replace_self`, which hands on the classes of a cell's output.
        raw.parent.replace(raw, numbered)


class NameToggles(SphinxPostTransform):
    """A toggle says which figure or table its code makes, else how long the code is."""

    default_priority = 210  # after myst-nb's HideInputCells, which makes the toggles
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Write the words of each toggle that the author left to us."""
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") != "cell_code":
                continue
            for toggle in cell.findall(self.is_toggle):
                if not toggle["prompt_show"].startswith("Show code cell"):
                    continue  # the author's own words
                shown = self.describe(toggle, cell)
                toggle["prompt_show"] = f"Show {shown}"
                toggle["prompt_hide"] = f"Hide {shown}"

    @staticmethod
    def is_toggle(node: nodes.Node) -> bool:
        """Whether a node is a toggle of myst-nb."""
        return type(node).__name__ == "HideCodeCellNode"

    def describe(self, toggle: nodes.Element, cell: nodes.Element) -> str:
        """Say what a toggle of a cell holds."""
        code = next(iter(toggle.findall(nodes.literal_block)), None)
        if code is None:
            return "the output"
        for figure in cell.findall(nodes.figure):
            label = self.label(figure)
            if label:
                return f"the code of {label}"
        lines = code.astext().strip().splitlines()
        if lines and lines[0].startswith(("import ", "from ")):
            return "the imports and the data of this page"
        return f"the code ({len(lines)} lines)" if len(lines) > 1 else "the line of code"

    def label(self, figure: nodes.Element) -> str:
        """Give the number of a figure or table, such as "Table 3.2"; empty if it has none."""
        kind = self.env.domains["std"].get_enumerable_node_type(figure)
        numbers = self.env.toc_fignumbers.get(self.env.docname, {}).get(kind, {})
        if not figure["ids"] or figure["ids"][0] not in numbers:
            return ""
        number = ".".join(map(str, numbers[figure["ids"][0]]))
        return self.config.numfig_format[kind] % number


def visit_table(writer: nodes.NodeVisitor, node: NumberedTable) -> None:
    """Open a table's figure."""
    writer.body.append(writer.starttag(node, "figure", CLASS="numbered-table"))


def visit_part(writer: nodes.NodeVisitor, node: NumberedPart) -> None:
    """Open an interactive part's figure, as `frame.js` looks for it."""
    attributes = {"CLASS": "live", "data-part": node["part"]}
    writer.body.append(writer.starttag(node, "figure", **attributes))


def depart_table(writer: nodes.NodeVisitor, node: NumberedTable) -> None:
    """Close a table's figure, whose caption is closed before the table."""
    writer.body.append("</figure>\n")


def depart_part(writer: nodes.NodeVisitor, node: NumberedPart) -> None:
    """Close a part's caption, which docutils leaves open, and its figure."""
    writer.body.append("</figcaption></figure>\n")


def visit_toggle(writer: nodes.NodeVisitor, node: nodes.Element) -> None:
    """Open a toggle. myst-nb gives all of them one name that hides their words from listeners."""
    classes = " ".join(node["classes"])
    writer.body.append(f'<details class="admonition hide {classes}">\n<summary>\n')
    for state, prompt in (("collapsed", "prompt_show"), ("expanded", "prompt_hide")):
        text = writer.encode(node[prompt])
        writer.body.append(f'<p class="{state} admonition-title">{text}</p>\n')
    writer.body.append("</summary>\n")


def depart_toggle(writer: nodes.NodeVisitor, node: nodes.Element) -> None:
    """Close a toggle."""
    writer.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    from myst_nb.sphinx_ import HideCodeCellNode

    app.add_enumerable_node(NumberedTable, "table", html=(visit_table, depart_table))
    app.add_enumerable_node(NumberedPart, "figure", html=(visit_part, depart_part))
    app.add_node(HideCodeCellNode, override=True, html=(visit_toggle, depart_toggle))
    app.add_transform(NumberOutputs)
    app.add_post_transform(NameToggles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
