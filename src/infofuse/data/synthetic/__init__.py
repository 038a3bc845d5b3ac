"""A generated corpus whose structure is known: how much each modality says of the label, and how.

Every clip has independent standard Gaussian latents: a shared one s, a unique one u_m for each
modality m, and a cue c for audio and for vision. With shares R (redundant), U_m (unique),
S (synergy) and N (label noise) that sum to one, and n, ε standard Gaussian noise, the label's
score y and the modalities' views x are

    y        = √R s + Σ_m √U_m u_m + √S sign(c_audio c_vision) + √N ε
    x_text   = √R s + √U_text u_text + τ_text n
    x_audio  = (√R s, √U_audio u_audio, √S c_audio) + τ_audio (n, n', n'')     vision likewise.

The label is 1.5 (y + skew), rounded to 0.2 and cut to ±3, much as in CMU-MOSI. The synergy is an
exclusive or: each cue alone is independent of the label, the two together are not. The views are
jointly Gaussian, so their mutual information and total correlation are known in closed form, and
so is `ceiling`, the R² of the best prediction of y from any of them.

What a model sees is made from the views. Text: a sentence whose sentiment is the text's view, on
the labels' scale. Audio and vision: frames that mix channels linearly under AR(1) noise. The view
shows around one moment of the clip, marked by energy; around another moment its channels show a
`distraction` instead, which the mean over time cannot tell from it; `private` channels (no label
information, half of their variance the speaker's) show all along. Durations are common to the
modalities. Given them, two modalities depend on each other through their views alone, so that the
mutual information of what is seen is at most that of the views.

In a clip in conflict the text says the opposite of the label; closed forms are of clips that are
not. The same config and seed give the same bytes with the same version of numpy: every purpose
in every split draws from a generator of its own, and features are rounded to 1/1024, so that the
last bit of a processor's arithmetic does not show.
"""

from infofuse.data.synthetic.config import PRESETS, PerModality, SyntheticConfig, preset
from infofuse.data.synthetic.make import ClipTruth, Truth, make, make_with_truth, synthesize
from infofuse.data.synthetic.twin import twin, twins
from infofuse.data.synthetic.views import ceiling, mutual_information, total_correlation

__all__ = [
    "PRESETS",
    "ClipTruth",
    "PerModality",
    "SyntheticConfig",
    "Truth",
    "ceiling",
    "make",
    "make_with_truth",
    "mutual_information",
    "preset",
    "synthesize",
    "total_correlation",
    "twin",
    "twins",
]
