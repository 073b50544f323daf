"""Tests of the sandbox over HTTP, without the engine."""
