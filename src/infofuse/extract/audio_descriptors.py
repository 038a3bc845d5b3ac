"""Low-level descriptors of the voice, by own code: energy, pitch, perturbation, spectrum, MFCC."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from infofuse.errors import InfofuseError
from infofuse.extract import spectrum
from infofuse.extract.features import Features, identity
from infofuse.extract.media import Media
from infofuse.extract.pitch import perturbation, pitch_of
from infofuse.extract.sound import RATE
from infofuse.types import Json

COEFFICIENTS = 13
COLUMNS = (
    "energy_db",  # mean square of the samples, from -100
    "zero_crossings",  # of the samples, the part that differs in sign from the one before
    "f0_semitones",  # above 27.5 Hz; 0 where there is no voice
    "voicing",  # autocorrelation at the period, from 0 to 1
    "hnr_db",  # harmonics over noise, 10 log10 r / (1 - r); 0 where there is no voice
    "jitter",
    "shimmer",
    "centroid_khz",
    "spread_khz",
    "rolloff_khz",  # 85 % of the power lie below
    "flatness",
    "flux",  # distance of the spectrum, as a unit vector of magnitudes, to the one before
    "slope_0_500",  # dB a kHz
    "slope_500_1500",
    "alpha_ratio_db",  # power from 1 to 5 kHz over that from 50 Hz to 1 kHz
    "hammarberg_db",  # highest level up to 2 kHz, less the highest from 2 to 5 kHz
    *(f"mfcc_{i}" for i in range(COEFFICIENTS)),
    *(f"delta_mfcc_{i}" for i in range(COEFFICIENTS)),
)


@dataclass(frozen=True)
class Descriptors:
    """42 columns, named by `COLUMNS`, every `hop` seconds.

    The frame of a step lies about its middle: 25 ms for the spectrum, 50 ms for the pitch. The
    selection is close to the low-level descriptors of eGeMAPS (Eyben et al., "The Geneva
    Minimalistic Acoustic Parameter Set", IEEE Transactions on Affective Computing 7, 2016).
    """

    name: ClassVar[str] = "descriptors"
    hop: float = 0.02

    def __post_init__(self) -> None:
        if not 0.005 <= self.hop <= 0.1:
            raise InfofuseError(f"hop is {self.hop} s; from 0.005 to 0.1 was expected")

    def __call__(self, media: Media) -> Features | None:
        if not len(media.waveform):
            return None
        wave, hop = media.waveform.astype(np.float64), round(self.hop * RATE)
        values = np.hstack([voice(wave, hop), shape(wave, hop)])
        begin = np.arange(len(values)) * (hop / RATE)
        return Features(values.astype(np.float32), np.stack([begin, begin + hop / RATE], 1))

    def identity(self) -> Json:
        return identity(self, ("infofuse", "numpy", "scipy"))


EXTRACTOR = Descriptors


def voice(wave: Float[np.ndarray, "samples"], hop: int) -> Float[np.ndarray, "steps 7"]:
    """The columns that are read off the waveform itself."""
    pitch = pitch_of(wave, hop)
    voiced = pitch.hz > 0
    r = np.clip(pitch.strength, 1e-4, 1 - 1e-4)
    return np.column_stack(
        [
            *_level_and_crossings(wave, hop),
            np.where(voiced, 12 * np.log2(np.where(voiced, pitch.hz, 27.5) / 27.5), 0.0),
            pitch.strength,
            np.where(voiced, 10 * np.log10(r / (1 - r)), 0.0),
            *perturbation(wave, pitch.hz, hop),
        ]
    )


def _level_and_crossings(
    wave: Float[np.ndarray, "samples"], hop: int
) -> tuple[Float[np.ndarray, "steps"], Float[np.ndarray, "steps"]]:
    levels, crossings = [], []
    for frames in spectrum.blocks(wave, spectrum.WINDOW, hop):
        levels.append(spectrum.decibels((frames**2).mean(1)))
        crossings.append((np.diff(np.signbit(frames), axis=1) != 0).mean(1))
    return np.concatenate(levels), np.concatenate(crossings)


def shape(wave: Float[np.ndarray, "samples"], hop: int) -> Float[np.ndarray, "steps 35"]:
    """The columns that are read off the spectrum."""
    read = [_read(frames) for frames in spectrum.blocks(wave, spectrum.WINDOW, hop)]
    plain, magnitudes, cepstra = (np.concatenate(part) for part in zip(*read, strict=True))
    flux = np.linalg.norm(np.diff(magnitudes, axis=0, prepend=magnitudes[:1]), axis=1)
    return np.column_stack([plain[:, :4], flux, plain[:, 4:], cepstra, spectrum.deltas(cepstra)])


def _read(
    frames: Float[np.ndarray, "n window"],
) -> tuple[
    Float[np.ndarray, "n 8"], Float[np.ndarray, "n bins"], Float[np.ndarray, "n coefficients"]
]:
    """Columns of the spectrum, its magnitudes as unit vectors, and its cepstrum."""
    power = spectrum.power_spectrum(frames)
    level, p = spectrum.decibels(power), spectrum.share(power)
    centroid, spread = spectrum.centroid_and_spread(p)
    plain = np.column_stack(
        [
            centroid / 1000,
            spread / 1000,
            spectrum.rolloff(p) / 1000,
            spectrum.flatness(p),
            spectrum.slope(level, 0.0, 500.0),
            spectrum.slope(level, 500.0, 1500.0),
            spectrum.decibels(spectrum.band(power, 1000.0, 5000.0))
            - spectrum.decibels(spectrum.band(power, 50.0, 1000.0)),
            spectrum.loudest(level, 0.0, 2000.0) - spectrum.loudest(level, 2000.0, 5000.0),
        ]
    )
    return plain, np.sqrt(p), spectrum.mfcc(power, COEFFICIENTS)
