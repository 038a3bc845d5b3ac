"""Papers, one module each: its name is its registry entry."""

from infofuse.papers.base import Paper, get, names

__all__ = ["Paper", "get", "names"]
