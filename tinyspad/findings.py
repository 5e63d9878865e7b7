"""The report of a check: its findings, their worst verdict, and the text that says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .lcg.text import constant_text
from .verdicts import Finding, Verdict


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What a check found; true if everything agrees. ``print`` it.

    ``title``: the function and the point. ``findings``: every comparison. ``blamed``: where the gradient is wrong, the
    local derivatives that are wrong, each by rule, argument and point. ``notes``: what could not be checked, and why.
    ``verdict``: the worst of the findings': "disagree", else "cannot tell", else "agree".
    """

    title: str
    findings: tuple[Finding, ...]
    blamed: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings' verdicts."""
        found = {finding.verdict for finding in self.findings}
        return "disagree" if "disagree" in found else "cannot tell" if "cannot tell" in found else "agree"

    def __bool__(self) -> bool:
        return self.verdict == "agree"

    def __str__(self) -> str:
        of = len(self.findings)
        wrong, open_ = (sum(f.verdict == v for f in self.findings) for v in ("disagree", "cannot tell"))
        told = [f"{wrong} of {of} disagree"] * (wrong > 0) + [f"{open_} of {of} cannot be told"] * (open_ > 0)
        lines = [f"{self.title}: " + (", ".join(told) or "all agree")]
        width = max((len(f.what) for f in (*self.findings, *self.blamed)), default=0)
        lines += [_line(f, width) for f in self.findings]
        if wrong and self.blamed:
            lines += ["The local derivative that is wrong:", *(_line(f, width) for f in self.blamed)]
        lines += [f"Cannot tell: {why}." for why in dict.fromkeys(f.why for f in self.findings if f.why)]
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__


def _line(finding: Finding, width: int) -> str:
    apart = f"apart by {finding.apart:.1g}"
    if finding.verdict == "disagree":
        apart = f"WRONG, {apart} (allowed {finding.allowed:.1g})"
    elif finding.verdict == "cannot tell":
        apart = f"CANNOT TELL, {apart}"
    return f"{finding.what.ljust(width)}    expected {told(finding.expected)}    got {told(finding.got)}    {apart}"


def told(x: Any) -> str:
    """A number, a small array, or the shape of a large one."""
    if isinstance(x, (int, float, np.number)) and not isinstance(x, bool):
        return f"{float(x):.8g}"
    text = constant_text(x)
    return text if len(text) <= 60 else f"<{type(x).__name__}>"
