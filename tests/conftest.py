"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# The same examples everywhere: a failure here is a failure on every machine, and can be looked into.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
