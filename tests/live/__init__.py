"""Tests against real Stash processes. They skip where there is none, and the run says so."""
