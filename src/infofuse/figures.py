"""Figures, drawn without a screen and written whole: PNG or SVG."""

from pathlib import Path
from typing import TYPE_CHECKING

from infofuse.errors import InfofuseError
from infofuse.files import check_place, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")


def blank(size: tuple[float, float]) -> "Figure":
    """A figure of this width and height in inches, with nothing in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def file_format(path: Path) -> str:
    """ "png" or "svg", by the ending of the file. Raises InfofuseError for another."""
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise InfofuseError(f"{path} should end in .png or .svg, the formats that are drawn here")
    return ending


def check_picture(path: Path) -> None:
    """Before long work: raise InfofuseError unless a picture can be drawn and written there."""
    file_format(path)
    check_place(path)


def save(figure: "Figure", path: Path, dpi: int = 130) -> None:
    """Write a figure, the same bytes for the same figure."""
    import matplotlib

    kind = file_format(path)
    with matplotlib.rc_context({"svg.hashsalt": "infofuse"}), replacing(path) as new:
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(new, format=kind, dpi=dpi, metadata=metadata)
