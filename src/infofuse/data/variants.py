"""The feature files of the field by their widths: which of them a file looks like."""

from collections.abc import Mapping

_KNOWN = {
    (5, 20): "MOSI",
    (74, 47): "MOSI",
    (74, 35): "MOSEI (or MultiBench's MOSI)",
    (33, 709): "CH-SIMS",
    (25, 177): "CH-SIMS v2",
    (81, 371): "UR-FUNNY or MUStARD",
}
"""By the widths of audio and vision. A width says which extractors ran, and little else."""


_MOSEI_LABELS = "sentiment, happy, sad, anger, surprise, disgust, fear"


def seven_labels(outputs: int) -> list[str]:
    """A note on the order of seven label columns, which are those of CMU-MOSEI."""
    return [f"labels: 7 columns, as MOSEI has them: {_MOSEI_LABELS}"] if outputs == 7 else []


def looks_like(layout: str, widths: Mapping[str, int]) -> list[str]:
    """A note that names the variant, such as "looks like MulT noalign MOSI: audio 5, vision 20".

    layout: the kind of file, and how it is aligned. No note if the widths are not known here.
    """
    name = _KNOWN.get((widths.get("audio", 0), widths.get("vision", 0)))
    shown = ", ".join(f"{modality} {width}" for modality, width in widths.items())
    return [f"looks like {layout} {name}: {shown}"] if name else []
