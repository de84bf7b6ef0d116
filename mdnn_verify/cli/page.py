"""The report's page, made anew after a command that is not a run of the theorems."""

from __future__ import annotations

import sys
from pathlib import Path

from mdnn_verify.cli.running import PAGE, RUN
from mdnn_verify.errors import UsageError

__all__ = ["refreshed"]


def refreshed(reports: Path) -> Path:
    """The page of the folder. A run that cannot be read is left out, and said to be."""
    from mdnn_verify.reporting.html import write_report
    from mdnn_verify.reporting.json import read as read_run

    run = None
    if (reports / RUN).exists():
        try:
            run = read_run(reports / RUN)
        except UsageError as error:
            print(f"mdnn-verify: the page is without the theorems: {error}", file=sys.stderr)
    write_report(run, reports / PAGE)
    return reports / PAGE
