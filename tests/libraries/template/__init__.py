"""Exports shaped by a template."""
