"""Checks of an installation, and a fix for each problem. The checks only read; they change nothing."""
