"""Automated accessibility: no serious finding on any page, light or dark."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]

THEMES = ("light", "dark")


def serious(axe, page) -> list[str]:
    """Findings of axe that it calls serious or critical, with the first elements they are about."""
    return [
        f"{found['id']}, {found['help']}: {[node['target'] for node in found['nodes']][:4]}"
        for found in axe.run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def findings(browser, pages):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = {theme: [] for theme in THEMES}
    for path in pages:
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        page.goto(path.as_uri())
        for theme in THEMES:
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            found[theme] += [f"{path.stem}: {text}" for text in serious(axe, page)]
        page.close()
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_no_serious_finding(findings, theme):
    assert not findings[theme], "\n".join(["", *findings[theme]])
