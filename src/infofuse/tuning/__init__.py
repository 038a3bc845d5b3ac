"""Tuning: a recipe's choices searched by validation score, each trial an ordinary training."""

from infofuse.tuning.search import tune

__all__ = ["tune"]
