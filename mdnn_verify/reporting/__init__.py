"""Renders results: JSON, JUnit XML, a table, the HTML page. Decides nothing."""
