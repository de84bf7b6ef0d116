"""The command line ``mdnn-verify``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from mdnn_verify.errors import MdnnVerifyError

__all__ = ["main"]

ERROR = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 verified, 1 refuted, 2 usage, 3 inconclusive or skipped, 4 error, 130 interrupted.
    """
    # A thread of torch's that waits should sleep: where other programs need the cores, spinning makes training 3 times
    # slower or worse. Read when torch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    from mdnn_verify.cli.commands import app

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(arguments, prog_name="mdnn-verify")
    except SystemExit as end:  # typer ends every command so
        return end.code if isinstance(end.code, int) else ERROR
    except MdnnVerifyError as error:
        print(f"mdnn-verify: {error}", file=sys.stderr)
        if getattr(error, "resumable", False):
            again = arguments if "--resume" in arguments else [*arguments, "--resume"]
            print(f"to complete the run: mdnn-verify {shlex.join(again)}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(f"mdnn-verify: {error}", file=sys.stderr)
        return ERROR
    return 0
