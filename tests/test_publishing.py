"""What a public repository, Zenodo, Binder and a container read, held to its schema."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def check(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def commands(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("schema", ["github-workflows", "github-workflows-require-timeout"])
def test_workflows_keep_to_their_schema(schema):
    assert {path.stem for path in WORKFLOWS} == {"tests", "book", "benchmark"}
    check(f"{'custom' if 'timeout' in schema else 'vendor'}.{schema}", *WORKFLOWS)


def test_the_citation_keeps_to_its_schema():
    check("vendor.citation-file-format", PROJECT / "CITATION.cff")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_make_offers(workflow):
    offered = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
    asked = [words.split()[1] for words in commands(workflow)]
    assert asked and set(asked) <= set(offered)


def test_zenodo_and_citation_say_the_same():
    zenodo = json.loads((PROJECT / ".zenodo.json").read_text("utf-8"))
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text("utf-8"))
    assert zenodo["title"] == citation["title"]
    assert zenodo["license"] == citation["license"]
    assert set(zenodo["keywords"]) == set(citation["keywords"])
    related = {one["identifier"] for one in zenodo["related_identifiers"]}
    assert related == {reference["doi"] for reference in citation["references"]}


def test_binder_installs_a_part_of_what_conda_does():
    read = [PROJECT / name / "environment.yml" for name in ("", ".binder")]
    whole, binder = (yaml.safe_load(path.read_text("utf-8"))["dependencies"] for path in read)
    assert {item for item in binder if isinstance(item, str)} <= set(whole[:-1])
    (editable,) = [line for line in binder[-1]["pip"] if line.startswith("--editable ..")]
    extras = Requirement("x" + editable.removeprefix("--editable ..")).extras
    assert extras <= Requirement("x" + whole[-1]["pip"][1].removeprefix("--editable .")).extras


def test_the_container_copies_what_is_there():
    lines = (PROJECT / "Containerfile").read_text("utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((PROJECT / name).exists() for name in copied)


def test_the_checklist_names_files_that_exist():
    text = (PROJECT / "RELEASING.md").read_text("utf-8")
    named = set(re.findall(r"`([\w./-]+\.(?:cff|json|md|toml)|LICENSE[\w-]*|results/)`", text))
    assert named and all((PROJECT / name).exists() for name in named)


def test_every_reference_is_cited_and_every_citation_listed():
    book = PROJECT / "book"
    listed = set(re.findall(r"@\w+\{(\w+),", (book / "references.bib").read_text("utf-8")))
    text = "\n".join(page.read_text("utf-8") for page in book.glob("*.md"))
    cited = {key for keys in re.findall(r"\{cite:\w\}`([\w,]+)`", text) for key in keys.split(",")}
    assert cited == listed
