"""The site: ``python -m sphinx -W -c docs . build/site`` (extra ``docs``).

The pages stand where readers of the repository find them, so the whole repository is the source folder.
"""

import re
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

from tinyspad import __version__
from tinyspad.page import playground

project = "tinyspad"
author = "the tinyspad developers"
project_copyright = "the tinyspad developers, MIT licence"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/**.md", "tutorials/**.ipynb", "tutorials/README.md"]

myst_enable_extensions = ["dollarmath", "html_image"]
myst_update_mathjax = False
html_math_renderer = "mathml"
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 180
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "imported-members": True}

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"tinyspad {__version__}"
html_show_sourcelink = False
html_copy_source = False
pygments_style = "default"
suppress_warnings = ["myst.header", "myst.xref_missing_anchor"]


def setup(app):
    def formula(display):
        """Formulas as MathML, which browsers set by themselves: a page asks the network for nothing."""

        def visit(translator, node):
            translator.body.append(convert(node.astext(), display=display))
            raise nodes.SkipNode

        return visit, None

    def plain(app, what, name, obj, options, lines):
        """Docstrings are read in a terminal first: |g| is a magnitude there and 2 * x a product, no markup."""
        for i, line in enumerate(lines):
            if not line.lstrip().startswith((">>>", "...")):
                parts = re.split(r"(``.*?``)", line)
                parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
                lines[i] = "".join(parts)

    def first_page(app, problem):
        """The front page at the top of the site, where browsers and servers look for it; and the page to play with."""
        if problem is None and app.builder.name == "html":
            playground().save(Path(app.outdir, "docs", "touch.html"))
            page = '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">'
            Path(app.outdir, "index.html").write_text(page + '<a href="docs/index.html">tinyspad</a>', encoding="utf-8")

    app.add_html_math_renderer("mathml", formula("inline"), formula("block"))
    app.connect("autodoc-process-docstring", plain)
    app.connect("build-finished", first_page)
