"""Runs checks: units of work, the journal, and whole campaigns over workers."""
