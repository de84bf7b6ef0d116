"""``python -m mdnn_verify`` is the command ``mdnn-verify``."""

from __future__ import annotations

import sys

from mdnn_verify.cli import main

if __name__ == "__main__":
    sys.exit(main())
