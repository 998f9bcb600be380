"""Bringing two libraries together: match, merge, plan, apply, verify. One three-way merge with different bases."""
