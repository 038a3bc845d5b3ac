// The clip, and the answer over time below it: one slider seeks in both.

import * as draw from "./draw.js";
import { capital, conflict, inWords, state } from "./reading.js";

const $ = (id) => document.getElementById(id);
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 };
const player = $("player");
const place = $("place");

let moments = [];
let words = [];
let column = null;

/** Put a clip into the player; its URL is let go when the next one comes. */
export function load(clip) {
  if (player.src) URL.revokeObjectURL(player.src);
  player.removeAttribute("src");
  $("no-player").hidden = true;
  if (clip) player.src = URL.createObjectURL(clip);
}

/** Show the moments of an answer; nothing for a clip without any. */
export function show(answer, extracted, newColumn) {
  column = newColumn;
  const seconds = answer.seconds;
  moments = answer.timeline.map((moment) => reading(moment));
  words = extracted?.words ?? [];
  $("timeline-part").hidden = seconds === 0;
  place.max = seconds;
  $("end").textContent = `${seconds.toFixed(1)} s`;
  draw.curve($("curve"), column, moments, seconds);
  $("moments").replaceChildren(...moments.map(row));
  $("spoken").replaceChildren(...words.flatMap(spoken));
  follow();
}

function reading({ start, end, prediction }) {
  return {
    start,
    end,
    value: prediction.scores[column.index],
    span: prediction.interval?.[column.index],
    conflict: conflict(prediction, column),
    present: prediction.present,
  };
}

/** The moment whose middle is nearest to a time. */
function momentAt(time) {
  const away = (m) => Math.abs((m.start + m.end) / 2 - time);
  return moments.reduce((best, m) => (best && away(best) <= away(m) ? best : m), null);
}

function says(moment) {
  if (!moment) return "no timeline: the clip is short, or everything is switched off";
  if (!moment.present.length) return "nothing that the model reads";
  const doubt = moment.conflict ? `, ${moment.conflict.low} and ${moment.conflict.high} in conflict` : "";
  return `${state(column, moment.value)}, ${inWords(column, moment.value)}${doubt}`;
}

function seek(time) {
  const inside = Math.min(Number(place.max), Math.max(0, time));
  place.value = inside;
  if (player.readyState > 0) player.currentTime = inside;
  follow();
}

/** Say what the model says at the slider's place. */
function follow() {
  const time = Number(place.value);
  const text = `${time.toFixed(1)} s: ${says(momentAt(time))}`;
  $("now").textContent = capital(text);
  place.setAttribute("aria-valuetext", text);
  for (const span of $("spoken").children) {
    span.classList.toggle("current", span.dataset.start <= time && time < span.dataset.end);
  }
}

function spoken(word) {
  const span = document.createElement("span");
  span.textContent = word.text.trim();
  if (word.start !== null) {
    span.dataset.start = word.start;
    span.dataset.end = word.end;
    span.addEventListener("click", () => seek(word.start));
  }
  return [span, " "];
}

function row(moment) {
  const line = document.createElement("tr");
  const jump = document.createElement("button");
  jump.type = "button";
  jump.textContent = `${moment.start.toFixed(1)} to ${moment.end.toFixed(1)}`;
  jump.addEventListener("click", () => seek((moment.start + moment.end) / 2));
  const agree = moment.conflict ? "in conflict" : "–";
  const said = moment.present.length
    ? `${state(column, moment.value)} (${inWords(column, moment.value)})`
    : says(moment);
  const cells = [jump, said, agree];
  for (const content of cells) {
    const cell = document.createElement("td");
    cell.append(content);
    line.append(cell);
  }
  return line;
}

place.addEventListener("input", () => seek(Number(place.value)));
place.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  seek(Number(place.value) + step);
});
player.addEventListener("timeupdate", () => {
  place.value = player.currentTime;
  follow();
});
player.addEventListener("error", () => {
  $("no-player").hidden = !player.getAttribute("src");
});
