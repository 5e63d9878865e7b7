"""The site is built without a warning, and every link inside it leads somewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("myst_nb")
pytest.importorskip("furo")
pytest.importorskip("latex2mathml")

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


class Page(HTMLParser):
    def __init__(self, file):
        super().__init__()
        self.targets, self.loaded, self.anchors = [], [], set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]
        if tag in ("script", "img", "link", "iframe") and found.get("rel") != "canonical":
            self.loaded += [found[key] for key in ("href", "src") if found.get(key)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site without outputs of notebooks, which test_tutorials runs, and which CI builds with them."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "nb_execution_mode=off"]
    done = subprocess.run(
        [*command, "-c", "docs", ".", str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


def test_links_inside_the_site_lead_somewhere(site):
    pages = {file.resolve(): Page(file) for file in site.rglob("*.html")}
    assert len(pages) > 25
    for file, page in pages.items():
        if "_modules" in file.parts:
            continue
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ("https", "data"), f"{file}: {target}"
                continue
            to = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert to.exists(), f"{file}: {target}"
            if parts.fragment and to in pages:
                assert unquote(parts.fragment) in pages[to].anchors, f"{file}: {target}"


def test_pages_load_nothing_from_the_network(site):
    for file in site.rglob("*.html"):
        page = Page(file)
        assert not [target for target in page.loaded if urlsplit(target).netloc], file
        assert "mathjax" not in file.read_text(encoding="utf-8").lower()


def test_formulas_are_set(site):
    text = (site / "tutorials" / "03_paths.html").read_text(encoding="utf-8")
    assert text.count("<math") > 10 and "\\frac" not in text


def test_the_reference_has_every_public_name(site):
    import tinyspad as ts
    from tinyspad import check, nn, plot

    text = "\n".join(file.read_text(encoding="utf-8") for file in (site / "docs" / "api").glob("*.html"))
    ids = set(re.findall(r'id="(tinyspad[\w.]*)"', text))
    last = {name.rsplit(".", 1)[1] for name in ids if "." in name}
    modules = {"check", "experiments", "functions", "models", "nn", "paths", "plot", "reproduction"}
    theirs = set(nn.__all__) - {"datasets", "training"}
    names = {*ts.__all__, *plot.__all__, *check.__all__, *theirs}
    missing = {n for n in names if n not in last and n not in modules}
    assert not missing


def test_tutorials_and_exercises_are_pages(site):
    for file in (ROOT / "tutorials").rglob("*.ipynb"):
        assert (site / file.relative_to(ROOT)).with_suffix(".html").exists()
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")
