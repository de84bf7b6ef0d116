"""The root conftest: the pytest plugin also works in a checkout that is not installed."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

if not any(point.name == "mdnn_verify" for point in entry_points(group="pytest11")):
    pytest_plugins = ["mdnn_verify.pytest_plugin"]

os.environ.setdefault("MDNN_OFFLINE", "1")  # tests never go to the network
