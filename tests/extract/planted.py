"""Clips of which everything is known: a synthetic voice, a face whose mouth is moved, rated words.

A clip's label is the sum of what its words, its voice and its face say, each from -1 to 1:

    words  a sentence with two rated words              their mean rating
    voice  eSpeak NG at one pitch, 150 Hz * 2^(v / 2)   v
    face   a mouth that opens with the voice            v, where it opens up to 0.11 + 0.08 v

The opening is in units of the distance between the outer corners of the eyes. The face is one
frame of a real clip that is warped: the lower lip is moved down, and what is between the lips is
dark. eSpeak NG says when its words begin, and keeps the pitch that it is told.
"""

import ctypes
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from recorded import write_clip
from scipy.ndimage import map_coordinates

FPS = 5.0  # so that frames begin at whole milliseconds, as files have them
LIBRARY = "libespeak-ng.so.1"
_DARK = (45, 18, 20)  # the inside of a mouth
_LEVELS = (-1.0, -0.5, 0.5, 1.0)
_RATED = {
    -1.0: ("terrible", "horrible"),
    -0.5: ("clumsy", "boring"),
    0.5: ("charming", "decent"),
    1.0: ("wonderful", "brilliant"),
}
_SENTENCES = ("such a {} and {} film", "the music was {} and {}")


@dataclass(frozen=True)
class Plan:
    """What a clip is to say."""

    id: str
    sentence: str
    words: float
    voice: float
    face: float

    @property
    def label(self) -> float:
        return self.words + self.voice + self.face

    @property
    def hertz(self) -> int:
        return round(150 * 2 ** (self.voice / 2))

    @property
    def opening(self) -> float:
        """How far the mouth opens when the voice is loudest."""
        return 0.11 + 0.08 * self.face


@dataclass(frozen=True, eq=False)
class Speech:
    """What was said, and when. words: with start and end in seconds."""

    waveform: np.ndarray
    rate: int
    words: tuple[tuple[str, float, float], ...]


def plans(count: int = 60, seed: int = 0) -> list[Plan]:
    """Every third clip of three that agree, the others of modalities that conflict."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        words, voice, face = rng.choice(_LEVELS, 3)
        if i % 3 == 0:
            voice, face = np.sign(words) * np.abs([voice, face])
        elif np.sign(words) == np.sign(voice) == np.sign(face):
            voice = -voice
        sentence = _SENTENCES[rng.integers(2)].format(*rng.permutation(_RATED[words]))
        made.append(Plan(f"v{i // 2}_{i % 2}", sentence, float(words), float(voice), float(face)))
    return made


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_WORD, _END = 1, 5
_SYNCHRONOUS, _CHARACTERS, _UTF8, _RATE = 2, 1, 1, 1


class Voice:
    """eSpeak NG as a library. Raises OSError where it is not installed."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[int, int, int, int]] = []
        self._callback = _Callback(self._heard)  # kept: the library does not
        self._library.espeak_SetSynthCallback(self._callback)

    def _heard(self, samples: object, count: int, events: object) -> int:
        if samples and count:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).astype("f4") / 2**15)
        for event in itertools.takewhile(lambda e: e.type, (events[i] for i in itertools.count())):
            self._events.append((event.type, event.position, event.length, event.milliseconds))
        return 0

    def say(self, text: str, hertz: int, words_a_minute: int = 160) -> Speech:
        """A sentence of ASCII at one pitch."""
        self._sound, self._events = [], []
        self._library.espeak_SetVoiceByName(b"en-us")
        self._library.espeak_SetParameter(_RATE, words_a_minute, 0)
        self._library.espeak_ng_SetConstF0(hertz)
        self._library.espeak_Synth(
            text.encode(), len(text) + 1, 0, _CHARACTERS, 0, _UTF8, None, None
        )
        self._library.espeak_Synchronize()
        begins = [(p, n, ms / 1000) for kind, p, n, ms in self._events if kind == _WORD]
        end = max(ms for kind, _, _, ms in self._events if kind == _END) / 1000
        ends = [*(start for _, _, start in begins[1:]), end]
        words = ((text[p - 1 : p - 1 + n], a, b) for (p, n, a), b in zip(begins, ends, strict=True))
        return Speech(np.concatenate(self._sound), self.rate, tuple(words))


class Puppet:
    """A face whose mouth opens on command.

    picture: a face with its mouth closed. points: of its face mesh, (478, 2), in pixels.
    """

    def __init__(self, picture: np.ndarray, points: np.ndarray):
        self.picture, self._seen = picture, {}
        left, right, middle = points[[78, 308, 13]]  # the corners of the inner lips, and between
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(float)
        along = (x - left[0]) / (right[0] - left[0])
        self._x, self._y = x, y
        self._line = np.interp(along, [0, 0.5, 1], [left[1], middle[1], right[1]])
        self._arch = np.clip(1 - (2 * along - 1) ** 2, 0, None)
        self._lip, self._chin = points[[17, 152], 1] - points[14, 1]
        self._eyes = float(np.linalg.norm(points[33] - points[263]))

    def __call__(self, opening: float) -> np.ndarray:
        """The picture with the mouth open by so many distances of the eyes, to the hundredth."""
        step = round(100 * opening)
        if step not in self._seen:
            self._seen[step] = self._opened(step / 100 * self._eyes)
        return self._seen[step]

    def _opened(self, pixels: float) -> np.ndarray:
        """What is below the lips moves down, the lip whole, the chin less and less."""
        gap, depth = pixels * self._arch, self._y - self._line
        fades = (self._chin - depth) / np.maximum(self._chin - self._lip - gap, 1)
        moves = np.where(depth - gap <= self._lip, 1, np.clip(fades, 0, 1))
        places = [self._y - np.where(depth >= gap, gap * moves, 0), self._x]
        channels = np.moveaxis(self.picture.astype(float), 2, 0)
        moved = np.stack([map_coordinates(c, places, order=1, mode="nearest") for c in channels], 2)
        moved[(depth > 0) & (depth < gap) & (gap > 0.5)] = _DARK
        return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def envelope(speech: Speech, times: np.ndarray) -> np.ndarray:
    """From 0 to 1: the voice's loudness about each time."""
    power = np.convolve(speech.waveform**2, np.hanning(round(0.12 * speech.rate)), "same")
    at = np.clip((times * speech.rate).astype(int), 0, len(power) - 1)
    return np.sqrt(power[at] / power.max())


def write(folder: Path, plan: Plan, voice: Voice, face: Puppet) -> tuple[Speech, np.ndarray]:
    """Write the clip of a plan: what was said, and how far the mouth is open in each frame."""
    speech = voice.say(plan.sentence, plan.hertz)
    times = np.arange(int(FPS * len(speech.waveform) / speech.rate)) / FPS
    openings = np.round(plan.opening * envelope(speech, times + 0.5 / FPS), 2)
    pictures = [face(opening) for opening in openings]
    path = folder / f"{plan.id}.mp4"
    write_clip(path, sound=0.9 * speech.waveform, rate=speech.rate, pictures=pictures, fps=FPS)
    return speech, openings
