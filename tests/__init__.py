"""The tests: they mirror the package; tests/live needs a real Stash."""
