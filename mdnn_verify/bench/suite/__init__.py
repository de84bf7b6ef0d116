"""The benchmarks of ``mdnn-verify bench run``: pytest-benchmark tests, one file a subject."""
