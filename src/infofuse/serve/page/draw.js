// Pictures in SVG. Each also stands on the page as text, so that they are hidden from readers.

const SPACE = "http://www.w3.org/2000/svg";

function shape(name, attributes, parent) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

function share(column, value) {
  const inside = Math.min(column.high, Math.max(column.low, value));
  return (inside - column.low) / (column.high - column.low);
}

const percent = (part) => `${(100 * part).toFixed(2)}%`;

/** An answer on its scale: the interval as a band, the value as a mark, `before` as a ghost. */
export function scale(svg, column, value, span, before) {
  svg.replaceChildren();
  shape("rect", { class: "track", x: 0, y: "40%", width: "100%", height: "20%", rx: 3 }, svg);
  if (span) {
    const [from, to] = span.map((end) => share(column, end));
    const band = { class: "band", x: percent(from), width: percent(to - from) };
    shape("rect", { ...band, y: "20%", height: "60%", rx: 3 }, svg);
  }
  if (!column.chance) line(svg, "middle", share(column, column.middle));
  if (before !== null) line(svg, "ghost", share(column, before));
  const kind = side(column, value);
  shape("circle", { class: `mark ${kind}`, cx: percent(share(column, value)), cy: "50%", r: 8 }, svg);
}

function line(svg, kind, at) {
  const x = percent(at);
  shape("line", { class: kind, x1: x, x2: x, y1: "10%", y2: "90%" }, svg);
}

function side(column, value) {
  if (column.chance) return "up";
  return value >= column.middle ? "up" : "down";
}

/** What a modality adds: a bar from the middle, to the right where it raises the answer. */
export function bar(column, value, most) {
  const svg = document.createElementNS(SPACE, "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("aria-hidden", "true");
  const size = (50 * Math.abs(value)) / most;
  const attributes = { y: "15%", height: "70%", rx: 2, width: `${size}%` };
  const [x, kind] = value >= 0 ? [50, "up"] : [50 - size, "down"];
  shape("rect", { ...attributes, class: kind, x: `${x}%` }, svg);
  line(svg, "middle", 0.5);
  return svg;
}

/** The answer over time: band, line, and a mark below each moment whose modalities conflict. */
export function curve(svg, column, moments, seconds) {
  svg.replaceChildren();
  const x = (m) => (1000 * (m.start + m.end)) / 2 / seconds;
  const y = (value) => 10 + 160 * (1 - share(column, value));
  const middle = y(column.chance ? 0.5 : column.middle);
  shape("line", { class: "middle", x1: 0, x2: 1000, y1: middle, y2: middle }, svg);
  if (moments.every((m) => m.span)) {
    const over = moments.map((m) => `${x(m)},${y(m.span[1])}`);
    const under = moments.map((m) => `${x(m)},${y(m.span[0])}`).reverse();
    shape("polygon", { class: "band", points: [...over, ...under].join(" ") }, svg);
  }
  const points = moments.map((m) => `${x(m)},${y(m.value)}`).join(" ");
  shape("polyline", { class: "curve", points }, svg);
  for (const moment of moments) {
    const kind = side(column, moment.value);
    const at = { x1: x(moment), x2: x(moment), y1: y(moment.value), y2: y(moment.value) };
    shape("line", { class: `dot ${kind}`, ...at }, svg);
    if (moment.conflict) {
      shape("line", { class: "conflict", x1: x(moment) - 8, x2: x(moment) + 8, y1: 190, y2: 190 }, svg);
    }
  }
}
