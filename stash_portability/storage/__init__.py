"""Containers: how bytes come to lie on a disk."""
