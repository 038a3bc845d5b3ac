"""The low-level descriptors of eGeMAPS by openSMILE, whose licence is not free for all uses."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from infofuse.extract.features import Features, identity
from infofuse.extract.installed import installed
from infofuse.extract.media import Media
from infofuse.extract.sound import RATE
from infofuse.types import Json

_SHORTEST = RATE // 10


@dataclass(frozen=True)
class AudioEgemaps:
    """25 columns every 10 ms: eGeMAPS v02 (Eyben et al., IEEE Transactions on Affective Computing
    7, 2016).

    openSMILE is under audEERING's research licence: commercial use needs another one.
    """

    name: ClassVar[str] = "egemaps"

    def identity(self) -> Json:
        return identity(self, ("opensmile",))

    def __call__(self, media: Media) -> Features | None:
        if len(media.waveform) < _SHORTEST:
            media.notes.append("less than 0.1 s of sound, too little for openSMILE")
            return None
        table = _smile().process_signal(media.waveform, RATE)
        times = [table.index.get_level_values(level).total_seconds() for level in ("start", "end")]
        values = np.nan_to_num(table.to_numpy(np.float32))
        return Features(values, np.stack(times, 1))


@lru_cache(maxsize=1)
def _smile() -> Any:
    installed("opensmile")
    import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
        num_workers=1,
    )


EXTRACTOR = AudioEgemaps
