// How an answer is read: one column of numbers at a time, in words and on a scale.

/** The columns that a model answers: scores, or the chance of each class. */
export function columns(model, answer) {
  if (model.kind === "score") {
    const values = [answer.prediction, ...answer.timeline.map((m) => m.prediction)].flatMap(all);
    return answer.prediction.scores.map((_, i) => scoreColumn(i, model.scale ?? spread(values)));
  }
  return model.classes.map((name, i) => ({ index: i, name, low: 0, high: 1, chance: true }));
}

/** The column that is shown first: the class that is answered, or the first. */
export function firstColumn(model, answer) {
  if (model.kind === "score") return 0;
  return Math.max(0, model.classes.indexOf(answer.prediction.answer[0]));
}

function scoreColumn(index, [low, high]) {
  const middle = low < 0 && high > 0 ? 0 : (low + high) / 2;
  return { index, name: `output ${index + 1}`, low, high, middle, chance: false };
}

function all(prediction) {
  return [...prediction.scores, ...Object.values(prediction.alone).flat()];
}

function spread(values) {
  const most = Math.max(1, ...values.map(Math.abs));
  return [-most, most];
}

/** A number as it is shown: a score with its sign, a chance in percent. */
export function shown(column, value, signed = true) {
  if (column.chance) return `${signed && value > 0 ? "+" : ""}${minus((100 * value).toFixed(0))} %`;
  return `${signed && value > 0 ? "+" : ""}${minus(value.toFixed(2))}`;
}

/** A score or chance that is a state, not a change: chances have no sign. */
export function state(column, value) {
  return shown(column, value, !column.chance && column.low < 0);
}

function minus(text) {
  return text.replace("-", "−");
}

/** A score in words, such as "slightly positive". */
export function inWords(column, value) {
  if (column.chance) return `${state(column, value)} ${column.name}`;
  const size = (value - column.middle) / ((column.high - column.low) / 2);
  if (Math.abs(size) < 0.08) return "neutral";
  const how = Math.abs(size) < 0.33 ? "slightly " : Math.abs(size) < 0.66 ? "" : "strongly ";
  return how + (size > 0 ? "positive" : "negative");
}

/** The headline of an answer. */
export function headline(model, prediction, column) {
  if (prediction.abstained) return "The model leaves the question open";
  if (model.kind === "score") return capital(inWords(column, prediction.scores[column.index]));
  return capital(prediction.answer.join(", ") || "none of the labels");
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The interval or set of a prediction as a sentence; "" where there is none. */
export function interval(model, prediction, column) {
  const sure = `${Number((100 * model.confidence).toPrecision(4))} %`;
  const span = prediction.interval?.[column.index];
  if (span) return `${sure} interval: ${state(column, span[0])} to ${state(column, span[1])}`;
  if (prediction.classes) return `${sure} set: ${prediction.classes.join(", ") || "empty"}`;
  return "";
}

/** Which modalities, each alone, come to opposite answers: two names, or null. */
export function conflict(prediction, column) {
  const alone = Object.entries(prediction.alone).map(([name, v]) => [name, v[column.index]]);
  if (alone.length < 2) return null;
  const middle = column.chance ? 0.5 : column.middle;
  const tolerance = 0.04 * (column.high - column.low);
  const [lowest] = alone.toSorted((a, b) => a[1] - b[1]);
  const [highest] = alone.toSorted((a, b) => b[1] - a[1]);
  const apart = lowest[1] < middle - tolerance && highest[1] > middle + tolerance;
  return apart ? { low: lowest[0], high: highest[0] } : null;
}

/** Whether the modalities agree, in a sentence or two. */
export function agreement(prediction, column) {
  const names = Object.keys(prediction.alone);
  if (names.length < 2) return "There is one modality, so there is nothing to agree or conflict.";
  const found = conflict(prediction, column);
  const said = (name) => inWords(column, prediction.alone[name][column.index]);
  const sentence = found
    ? `Conflict: alone, ${found.high} says ${said(found.high)}, and ${found.low} ${said(found.low)}.`
    : "Agreement: no two modalities, each alone, come to opposite answers.";
  const score = prediction.agreement;
  if (score === null) return sentence;
  return `${sentence} The model's own agreement score is ${minus(score.toFixed(2))}; the higher, the
    more the modalities go together.`;
}
