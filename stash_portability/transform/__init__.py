"""Record stream in, record stream out: choose, redact, rewrite."""
