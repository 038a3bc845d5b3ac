// Fills the result of the page from an answer.

import * as draw from "./draw.js";
import { agreement, capital, headline, inWords, interval, shown, state } from "./reading.js";

const $ = (id) => document.getElementById(id);

/** The answer with all that is switched on; `whole`: that with all modalities. */
export function showAnswer(model, column, answer, whole) {
  const said = answer.prediction;
  const value = said.scores[column.index];
  const before = whole === answer ? null : whole.prediction.scores[column.index];
  $("said").textContent = headline(model, said, column);
  $("number").textContent = state(column, value);
  $("interval").textContent = interval(model, said, column);
  draw.scale($("scale"), column, value, said.interval?.[column.index], before);
  const [low, high] = $("scale-ends").children;
  low.textContent = state(column, column.low);
  high.textContent = state(column, column.high);
  $("changed").textContent = changed(column, said.present, value, before);
  $("agreement").textContent = agreement(said, column);
  $("notes").replaceChildren(...answer.notes.map((note) => item(`${capital(note)}.`)));
}

/** What the model says when every modality is switched off: the same for every clip. */
export function showNothing(column, whole) {
  const value = whole.prediction.nothing[column.index];
  const before = whole.prediction.scores[column.index];
  $("said").textContent = "Nothing to go by";
  $("number").textContent = state(column, value);
  $("interval").textContent = "without any modality, for every clip";
  draw.scale($("scale"), column, value, undefined, before);
  $("changed").textContent = changed(column, [], value, before);
  $("agreement").textContent = "";
}

function changed(column, present, value, before) {
  if (before === null) return "";
  const left = present.length ? `From ${list(present)} alone` : "Without any modality";
  return `${left} it says ${state(column, value)}, ${shown(column, value - before)} compared to all.`;
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The rows of the modalities, with a switch each, unless there is nothing to do `onSwitch`. The
 * values are those of the whole answer. */
export function showModalities(model, column, whole, isOn, onSwitch) {
  const { alone, contributions, nothing, scores } = whole.prediction;
  const most = Math.max(1e-9, ...Object.values(contributions).map((v) => Math.abs(v[column.index])));
  const rows = model.modalities.map((name) => {
    const there = name in alone;
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.append(modalitySwitch(name, there, there && isOn(name), onSwitch));
    row.append(head);
    if (!there) {
      const cell = document.createElement("td");
      cell.colSpan = 2;
      cell.textContent = "not in the clip";
      row.append(cell);
      return row;
    }
    const value = alone[name][column.index];
    const adds = contributions[name][column.index];
    row.append(
      cell("Alone it says", `${state(column, value)} (${inWords(column, value)})`),
      cell("It adds", shown(column, adds), draw.bar(column, adds, most)),
    );
    return row;
  });
  $("modalities").replaceChildren(...rows);
  const total = document.createElement("tr");
  const what = document.createElement("td");
  what.colSpan = 3;
  const [from, to] = [nothing[column.index], scores[column.index]];
  what.textContent =
    `From nothing the model says ${state(column, from)}; with what the modalities add, ` +
    `${state(column, to)}. What one adds is its exact Shapley value.`;
  total.append(what);
  $("sum").replaceChildren(total);
}

function modalitySwitch(name, there, on, onSwitch) {
  const label = document.createElement("label");
  label.className = "switch";
  const input = document.createElement("input");
  Object.assign(input, { type: "checkbox", checked: on, disabled: !there || !onSwitch, name });
  input.setAttribute("role", "switch");
  input.addEventListener("change", () => onSwitch(input));
  label.append(input, capital(name));
  return label;
}

function cell(label, text, picture) {
  const element = document.createElement("td");
  element.dataset.label = label;
  const value = document.createElement("span");
  value.textContent = text;
  element.append(value);
  if (picture) element.append(picture);
  return element;
}

function item(text) {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}
