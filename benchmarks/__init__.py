"""How fast an export is, against the plainest programs that do the same: ``python -m benchmarks.bench``."""
