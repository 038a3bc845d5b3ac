"""Papers, one module each: its name is its registry entry."""

from infofuse.papers.base import Paper, build, get, get_term, names

__all__ = ["Paper", "build", "get", "get_term", "names"]
