"""Automated accessibility: no serious finding on any page, light or dark."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]

#: What axe looks for: by its own choice, and what another theme can change.
RULES = {"light": None, "dark": {"runOnly": ["color-contrast"]}}


def serious(axe, page, options) -> list[str]:
    """Findings of axe that it calls serious or critical, with the first elements they are about."""
    return [
        f"{found['id']}, {found['help']}: {[node['target'] for node in found['nodes']][:4]}"
        for found in axe.run(page, options=options).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def findings(browser, pages):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = {theme: [] for theme in RULES}
    for path in pages:
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        page.goto(path.as_uri())
        page.add_style_tag(content="* { transition: none !important; }")
        for theme, options in RULES.items():
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            found[theme] += [f"{path.stem}: {text}" for text in serious(axe, page, options)]
        page.close()
    return found


@pytest.mark.parametrize("theme", RULES)
def test_no_serious_finding(findings, theme):
    assert not findings[theme], "\n".join(["", *findings[theme]])
