"""Stash Portability: what a Stash user typed into Stash, taken out, brought in, kept safe."""

__version__ = "0.1.0"
