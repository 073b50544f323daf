"""Checks of an installation, with a fix for each problem. They change nothing."""
