"""Sentences of spoken movie reviews, of a wanted sentiment and length, in real words.

A sentence is one clause or more, each of an integer level from -3 (strongly negative) to 3
(strongly positive), joined by "and" or, where the sign turns, "but"; openers and circumstances
without sentiment fill it up to the wanted length. Lower case and no punctuation, as in the
transcripts of CMU-MOSI.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_ADJECTIVES = {
    3: "amazing brilliant fantastic incredible outstanding perfect stunning superb magnificent",
    2: "good great funny enjoyable beautiful exciting wonderful impressive delightful",
    1: "nice fine decent pleasant likeable watchable solid agreeable cute",
    0: "average ordinary typical standard okay normal conventional unremarkable",
    -1: "slow uneven predictable flat forgettable clumsy shallow bland dated",
    -2: "bad boring dull weak annoying disappointing poor tedious silly messy",
    -3: "terrible awful horrible dreadful atrocious unwatchable disgusting pathetic unbearable",
}
ADJECTIVES = {level: words.split() for level, words in _ADJECTIVES.items()}
"""Adjectives of each level."""

INTENSIFIED = {
    3: [("absolutely", 3), ("truly", 3), ("so incredibly", 2), ("just", 3)],
    2: [("really", 2), ("very", 2), ("quite", 2), ("very", 1)],
    1: [("pretty", 1), ("rather", 1), ("kind of", 2), ("fairly", 1)],
    0: [("pretty", 0), ("fairly", 0), ("just", 0), ("more or less", 0)],
    -1: [("a little", -2), ("a bit", -1), ("kind of", -1), ("somewhat", -1)],
    -2: [("really", -2), ("very", -1), ("quite", -2), ("very", -2)],
    -3: [("absolutely", -3), ("completely", -3), ("so incredibly", -2), ("just", -3)],
}
NEGATED = {1: ("not", -2), -1: ("not", 2), -2: ("not even", 1)}
"""Words before an adjective, and the level whose adjectives they bring to this one."""

VERBS = {
    3: ["absolutely loved", "adored", "really loved", "was blown away by"],
    2: ["loved", "really liked", "really enjoyed", "was impressed by"],
    1: ["liked", "did not mind", "kind of liked", "enjoyed"],
    0: ["watched", "noticed", "remember", "had no strong opinion of"],
    -1: ["did not really like", "could have done without", "did not quite buy"],
    -2: ["disliked", "did not like", "was bored by", "was disappointed by"],
    -3: ["hated", "absolutely hated", "really hated", "was disgusted by"],
}
"""What the speaker did with one part of the film."""

VERDICTS = {
    3: [
        "you should definitely go see it",
        "it is one of the best movies of the year",
        "i would watch it again right now",
        "it is an absolute masterpiece",
    ],
    2: [
        "i would recommend it",
        "it is a great movie",
        "i had a really good time",
        "it made me laugh a lot",
    ],
    1: [
        "it is worth a rental",
        "it is a nice little movie",
        "it kept me entertained enough",
        "i did not regret it",
    ],
    0: [
        "it is about two hours long",
        "it is neither good nor bad",
        "it came out last month",
        "i went with my brother",
        "it is set in new york",
    ],
    -1: [
        "you can skip it",
        "i expected a bit more",
        "it never quite came together",
        "i would wait for the dvd",
    ],
    -2: [
        "i would not recommend it",
        "it is a bad movie",
        "i almost fell asleep",
        "i was very disappointed",
    ],
    -3: [
        "do not waste your money on it",
        "it is one of the worst movies ever",
        "i wanted to walk out",
        "it is a complete disaster",
    ],
}
"""Whole clauses about the film."""

_PARTS = (
    "movie film story plot acting ending soundtrack script dialogue animation cast music pacing "
    "humor villain hero editing romance action sequel trailer score camerawork setting"
)
_LONG_PARTS = (
    "lead actor, lead actress, main character, opening scene, first half, second half, big twist, "
    "final fight, love story, voice acting, whole thing, last act, title song, supporting cast"
)
PARTS, LONG_PARTS = _PARTS.split(), _LONG_PARTS.split(", ")
"""What is judged, in one word and in two."""

OPENERS = {
    1: ["honestly", "um", "well", "okay", "yeah", "overall", "personally", "basically"],
    2: ["i mean", "you know", "to me", "in fact", "i guess", "so yeah", "uh well", "like um"],
    3: ["in my opinion", "to be honest", "as for me", "let me see", "so you know"],
    4: ["i have to say", "if you ask me", "so here we go", "um you know what"],
}
CIRCUMSTANCES = {
    2: ["this time", "last night", "that day", "on friday"],
    3: ["in the theater", "with my sister", "on opening night", "at the cinema"],
    4: ["when i watched it", "for a summer movie", "in the first place", "with my two friends"],
    5: ["compared with the other one", "from the first to last", "as far as i remember"],
    6: ["when i saw it last weekend", "for a movie of this kind", "from what i can remember now"],
}
"""Fillers without sentiment, by their number of words, before and after the clauses."""

_SHORTEST = 4
_LONGEST_FILL = max(OPENERS) + max(CIRCUMSTANCES)
_TRIES = 12


def utterance(sentiment: float, words: int, rng: np.random.Generator) -> str:
    """A sentence of exactly `words` words (at least 4) whose clauses average to `sentiment`.

    `sentiment` is on the scale of the labels, -3 to 3 (beyond is cut). A clause's level is the
    sentiment rounded at random to one of its neighbours, so that it is right on average.
    """
    clauses: list[str] = []
    before, room = 0, words
    while not clauses or (room > _SHORTEST and (room > _LONGEST_FILL or rng.random() < 0.6)):
        level = int(np.floor(np.clip(sentiment, -3, 3) + rng.random()))
        said = _fitting(level, room - bool(clauses), rng)
        if clauses:
            said = f"{'but' if level * before < 0 else 'and'} {said}"
        clauses.append(said)
        before, room = level, room - len(said.split())
    opener, circumstance = _fillers(room, rng)
    return " ".join(filter(None, [opener, *clauses, circumstance]))


def _fitting(level: int, room: int, rng: np.random.Generator) -> str:
    """A clause of at most `room` words, the shortest kind if a few tries find no other."""
    for _ in range(_TRIES):
        said = _clause(level, rng)
        if len(said.split()) <= room:
            return said
    return f"the {_pick(PARTS, rng)} was {_pick(ADJECTIVES[level], rng)}"


def _clause(level: int, rng: np.random.Generator) -> str:
    """One judgement of this level."""
    kind = rng.random()
    if kind < 0.2:
        return _pick(VERDICTS[level], rng)
    part = _pick(LONG_PARTS if rng.random() < 0.4 else PARTS, rng)
    if kind < 0.4:
        return f"i {_pick(VERBS[level], rng)} the {part}"
    start = "i thought the" if kind < 0.55 else "the"
    return f"{start} {part} was {_judgement(level, rng)}"


def _judgement(level: int, rng: np.random.Generator) -> str:
    """An adjective, alone or brought to this level by the words before it."""
    kind = rng.random()
    if kind < 0.5:
        return _pick(ADJECTIVES[level], rng)
    negated = level in NEGATED and kind > 0.9
    modifier, base = NEGATED[level] if negated else _pick(INTENSIFIED[level], rng)
    return f"{modifier} {_pick(ADJECTIVES[base], rng)}"


def _fillers(room: int, rng: np.random.Generator) -> tuple[str, str]:
    """An opener and a circumstance that together have `room` words; either may be empty."""
    splits = [(k, room - k) for k in (0, *OPENERS) if room - k in (0, *CIRCUMSTANCES)]
    first, last = _pick(splits, rng)
    opener = _pick(OPENERS[first], rng) if first else ""
    return opener, _pick(CIRCUMSTANCES[last], rng) if last else ""


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]
