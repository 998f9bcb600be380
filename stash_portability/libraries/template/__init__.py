"""Exports shaped by a template of the user's: data, rendered in a fenced child process with no way to anything else."""
