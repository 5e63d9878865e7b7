"""What of the paper holds: its claims as a table, how each is measured, and the report that is written from the numbers."""

from .claim import BEYOND, CONDITIONS, FAILS, HOLDS, UNTESTED, Claim
from .report import CLAIMS, from_json, measure, report, section, to_json, unsupported

__all__ = [
    "BEYOND",
    "CLAIMS",
    "CONDITIONS",
    "FAILS",
    "HOLDS",
    "UNTESTED",
    "Claim",
    "from_json",
    "measure",
    "report",
    "section",
    "to_json",
    "unsupported",
]
