"""The one error that whoever uses an exported model is meant to read."""


class Refusal(ValueError):
    """A mistake in what was given: what was found, what was expected, what to do."""
