"""Papers, one module each: its name is its registry entry."""

from infofuse.papers.base import Paper, get, get_term, names

__all__ = ["Paper", "get", "get_term", "names"]
