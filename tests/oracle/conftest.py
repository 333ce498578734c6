"""Fixtures of the oracle's own tests."""

from seeds import seed  # noqa: F401
