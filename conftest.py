"""The root conftest: the pytest plugin also works in a checkout that is not installed."""

from __future__ import annotations

import os
import signal
from importlib.metadata import entry_points

if not any(point.name == "mdnn_verify" for point in entry_points(group="pytest11")):
    pytest_plugins = ["mdnn_verify.pytest_plugin"]

os.environ.setdefault("MDNN_OFFLINE", "1")  # tests never go to the network
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts background jobs so; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
