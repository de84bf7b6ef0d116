"""The derivations of the seeds, read once for all tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mdnn_verify.audit.files import of_seeds
from mdnn_verify.audit.running import read_all
from mdnn_verify.reporting import audits


@pytest.fixture(scope="session")
def seeds() -> dict[str, Any]:
    """The document that ``mdnn-verify audit`` writes."""
    places = of_seeds()
    records = dict(read_all(places, 120.0, 2))
    info = audits.Info(datetime.now(UTC), 120.0, "mdnn-verify audit")
    return audits.document(info, [records[i] for i in range(len(places))], len(places), 0.0)
