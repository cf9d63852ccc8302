"""What a record says of the code and the packages behind it."""

import json

from multisenge_lib import paths, software


def test_an_installed_package_names_the_commit_it_came_from(tmp_path, monkeypatch):
    class Installed:
        @staticmethod
        def read_text(name):
            return json.dumps({"vcs_info": {"vcs": "git", "commit_id": "1" * 40}})

    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(software, "distribution", lambda name: Installed)
    provenance = software.provenance()
    assert provenance["commit"] == "1" * 40 and provenance["uncommitted"] is None
    assert "multisenge-book" in provenance["versions"]


def test_a_commit_is_named_by_its_first_digits():
    assert software.short_commit("0123456789abcdef") == "0123456"
    assert software.short_commit(None) == "unknown"
