"""The page that computes: a function's program, graph, paths, sweep and estimators in one HTML file, which needs no network.

``page.html``, ``page.css`` and the JavaScript files are its parts: ``engine.py`` names those of the engine, ``page.py``
those of what is seen, ``program.py`` says what a function is to them.
"""

from .engine import engine_text
from .page import Page, explain, playground, step_through

__all__ = ["Page", "engine_text", "explain", "playground", "step_through"]
