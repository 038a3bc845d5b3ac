"""Draws docs/house.svg from the source: `python docs/house/draw_house.py`.

A room stands above all that it imports, and an arrow goes from a room to what it imports. An
import that follows from other arrows has none, nor has one of the ground floor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from layers import Node, Passage, layered, middles, reduced, untangled
from rooms import GROUND, Room, rooms

DOCS = Path(__file__).parents[1]
SOURCE = DOCS.parent / "src" / "infofuse"
PICTURE = DOCS / "house.svg"

WIDTH, MARGIN = 900, 20
BOX, PASSAGE, BESIDE, BETWEEN = 204, 8, 18, 36  # widths of nodes; gaps within and between layers
PAD, NAME, LINE = 12, 18, 15  # within a box: its padding, and the heights of its lines

NARROW = " ,.:;'iljtfI|()"

TITLE = "The rooms of infofuse"
SAID = "An arrow points at what a room imports; an import that follows from other arrows has none."
FLOOR = "The ground floor, which every room may import"
STYLE = """
text { font: 12px Helvetica, Arial, sans-serif; fill: #57606a; }
.name { font: bold 14px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
.inner { font: 11px ui-monospace, Menlo, Consolas, monospace; }
.paper { fill: #ffffff; } .floor { fill: #f0f2f5; }
.folder { fill: #ddf4ff; stroke: #54aeff; } .module { fill: #ffffff; stroke: #afb8c1; }
.arrow { fill: none; stroke: #6e7781; stroke-width: 1.4; } .tip { fill: #6e7781; }
@media (prefers-color-scheme: dark) {
  text { fill: #9ea7b3; } .name { fill: #e6edf3; }
  .paper { fill: #0d1117; } .floor { fill: #1a2029; }
  .folder { fill: #0c2d4d; stroke: #316dca; } .module { fill: #0d1117; stroke: #545d68; }
  .arrow { stroke: #8b949e; } .tip { fill: #8b949e; }
}
"""


def draw(found: Mapping[str, Room]) -> str:
    """The picture of rooms by name."""
    upstairs = {name: room.imports - GROUND for name, room in found.items() if name not in GROUND}
    layers, links = layered(reduced(upstairs))
    layers = untangled(layers, links)
    widths = {node: _width(node, layer) for layer in layers for node in layer}
    inside = WIDTH - 2 * MARGIN
    middle = middles(layers, links, widths.__getitem__, BESIDE, inside)
    boxes: list[str] = []
    rows: dict[Node, tuple[int, int]] = {}
    y = MARGIN
    for layer in layers[::-1]:
        here = [found[node] for node in layer if isinstance(node, str)]
        height = max(_height(room, widths[room.name]) for room in here)
        for room in here:
            x = MARGIN + middle[room.name] - widths[room.name] // 2
            boxes += _box(room, x, y, widths[room.name], height)
        rows |= dict.fromkeys(layer, (y, y + height))
        y += height + BETWEEN
    arrows = _arrows(links, {n: x + MARGIN for n, x in middle.items()}, rows, widths)
    floor, y = _floor([found[name] for name in sorted(GROUND & set(found))], y)
    words = f'<text x="{WIDTH // 2}" y="{y + MARGIN + 4}" text-anchor="middle">{SAID}</text>'
    return _page([*arrows, *boxes, *floor, words], y + 2 * MARGIN + 4)


def _width(node: Node, layer: Sequence[Node]) -> int:
    """A room's width is less where a layer has many."""
    if isinstance(node, Passage):
        return PASSAGE
    count = sum(isinstance(other, str) for other in layer)
    taken = PASSAGE * (len(layer) - count) + BESIDE * (len(layer) - 1)
    return min(BOX, (WIDTH - 2 * MARGIN - taken) // count)


def _lines(room: Room, width: int) -> list[tuple[str, str]]:
    """The class and the text of each line in a room's box."""
    inner = " ".join(f"{name}/" for name in room.inner)
    return [
        ("name", room.sign),
        *(("", line) for line in _wrapped(room.phrase, width - 2 * PAD, _wide)),
        *(
            ("inner", line)
            for line in _wrapped(inner, width - 2 * PAD, lambda text: 6.8 * len(text))
        ),
    ]


def _height(room: Room, width: int) -> int:
    return 2 * PAD + NAME + LINE * (len(_lines(room, width)) - 1) - 4


def _box(room: Room, x: int, y: int, width: int, height: int) -> Iterator[str]:
    kind = "folder" if room.sign.endswith("/") else "module"
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="7"/>'
    base = y + PAD + 11
    for style, line in _lines(room, width):
        marked = f' class="{style}"' if style else ""
        yield f'<text{marked} x="{x + PAD}" y="{base}">{escape(line, quote=False)}</text>'
        base += NAME if style == "name" else LINE


def _floor(found: Sequence[Room], y: int) -> tuple[list[str], int]:
    """The ground floor from y on, and where it ends."""
    top, inside = y, WIDTH - 2 * MARGIN
    drawn = [f'<text x="{MARGIN + BESIDE}" y="{y + 24}">{FLOOR}</text>']
    y += 36
    for row in (found[i : i + 4] for i in range(0, len(found), 4)):
        width = (inside - (len(row) + 1) * BESIDE) // len(row)
        height = max(_height(room, width) for room in row)
        for i, room in enumerate(row):
            drawn += _box(room, MARGIN + BESIDE + i * (width + BESIDE), y, width, height)
        y += height + BESIDE
    plate = f'x="{MARGIN}" y="{top}" width="{inside}" height="{y - top}" rx="9"'
    return [f'<rect class="floor" {plate}/>', *drawn], y


def _arrows(
    links: Sequence[tuple[Node, Node]],
    middle: Mapping[Node, int],
    rows: Mapping[Node, tuple[int, int]],
    widths: Mapping[Node, int],
) -> Iterator[str]:
    """A curve for each link, straight on where it passes a layer."""
    for above, below in links:
        leaves = [b for a, b in links if a == above]
        comes = [a for a, b in links if b == below]
        x = _door(above, below, leaves, middle, widths)
        end = _door(below, above, comes, middle, widths)
        y, to = rows[above][1], rows[below][0]
        start = f"M{x} {rows[above][0]}V{y}" if isinstance(above, Passage) else f"M{x} {y}"
        half = (y + to) // 2
        tip = "" if isinstance(below, Passage) else ' marker-end="url(#tip)"'
        yield f'<path class="arrow" d="{start}C{x} {half} {end} {half} {end} {to}"{tip}/>'


def _door(
    node: Node,
    other: Node,
    others: Sequence[Node],
    middle: Mapping[Node, int],
    widths: Mapping[Node, int],
) -> int:
    """Where a link meets a node: those on one side of it share its width, from left to right."""
    place = sorted(others, key=lambda n: middle[n]).index(other)
    step = min(30, (widths[node] - 2 * PAD) // max(1, len(others) - 1))
    return middle[node] + round((place - (len(others) - 1) / 2) * step)


def _wrapped(text: str, width: float, wide: Callable[[str], float]) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and wide(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _wide(text: str) -> float:
    """About the width of a text in 12 px DejaVu Sans, the widest of the fonts that may stand in."""
    return sum(
        3.8 if c in NARROW else 11 if c in "mwMW" else 9 if c.isupper() else 7.3 for c in text
    )


def _page(drawn: Sequence[str], height: int) -> str:
    body = "\n".join(drawn)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" \
aria-labelledby="t d">
<title id="t">{TITLE}</title>
<desc id="d">{SAID}</desc>
<style>{STYLE}</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
orient="auto"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>
<rect class="paper" width="{WIDTH}" height="{height}" rx="10"/>
{body}
</svg>
"""


if __name__ == "__main__":
    PICTURE.write_text(draw(rooms(SOURCE)), encoding="utf-8")
