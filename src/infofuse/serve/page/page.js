// The page: what is asked, what was answered, and which modalities are switched on.

import { showAnswer, showModalities, showNothing } from "./answer.js";
import { columns, firstColumn } from "./reading.js";
import * as recorder from "./recorder.js";
import * as service from "./service.js";
import * as timeline from "./timeline.js";

const $ = (id) => document.getElementById(id);

let model = null; // what the service says of its model
let clip = null; // the file that is chosen
let asked = null; // the question by which the answer can be had again, if it can
let whole = null; // the answer with every modality
let answer = null; // the answer with those that are switched on
let off = new Set();
let column = null;
let flight = new AbortController();

async function begin() {
  model = await service.model();
  $("model").textContent =
    `What a model sees in a clip: ${model.paper}, trained on ${model.trained_on}, reads ` +
    `${model.modalities.join(", ")}.`;
  $("clip-hint").textContent =
    `Video or sound, up to ${model.clip_seconds} seconds and ` +
    `${Math.round(model.upload_bytes / 2 ** 20)} MB.`;
  $("clip-part").hidden = model.clips !== null;
  $("no-clips").hidden = model.clips === null;
  $("no-clips").textContent = `No clips can be read: ${model.clips}.`;
  $("words-part").hidden = !model.text;
  $("words").maxLength = model.characters;
  $("words-hint").hidden = model.clips !== null;
  $("token-part").hidden = true;
}

/** Do something that takes a while, and say how it went. A later task ends an earlier one. */
async function attempt(what, task) {
  flight.abort();
  flight = new AbortController();
  const own = flight;
  $("trouble").textContent = "";
  $("state").textContent = what;
  document.body.ariaBusy = "true";
  try {
    await task(own.signal);
    if (own === flight) $("state").textContent = "";
  } catch (error) {
    if (own !== flight) return;
    $("state").textContent = "";
    $("trouble").textContent = error.message;
    if (error instanceof service.NeedsToken) askForToken();
  } finally {
    if (own === flight) document.body.ariaBusy = "false";
  }
}

function askForToken() {
  $("token-part").hidden = false;
  $("token").focus();
}

async function send(signal) {
  if (!model) await begin();
  const text = $("words").value.trim();
  const sent = clip; // another may be chosen while this one is read
  if (!sent && !text) throw new Error(nothingGiven());
  const found = sent ? await service.askClip(sent, text, signal) : await service.ask({ text }, null, signal);
  asked = sent ? (found.extracted ?? null) : { text };
  whole = answer = found;
  off = new Set();
  timeline.load(sent);
  fillColumns();
  show();
  $("result").hidden = false;
  $("result").focus();
}

function nothingGiven() {
  if (model.clips !== null) return "Type some words first.";
  return model.text ? "Choose a clip, or type some words, first." : "Choose a clip first.";
}

function fillColumns() {
  const all = columns(model, whole);
  column = all[firstColumn(model, whole)];
  $("column-part").hidden = all.length < 2;
  $("column").replaceChildren(...all.map((c) => new Option(c.name, c.index)));
  $("column").value = column.index;
  $("column").onchange = () => {
    column = all[$("column").value];
    show();
  };
}

function show() {
  showModalities(model, column, whole, (name) => !off.has(name), asked && switched);
  showSwitched();
}

function showSwitched() {
  if (answer) showAnswer(model, column, answer, whole);
  else showNothing(column, whole);
  timeline.show(answer ?? { timeline: [], seconds: whole.seconds }, asked, column);
}

/** Ask again; where that fails, the switch goes back to what the answer shown is of. */
async function switched(input) {
  const before = new Set(off);
  if (input.checked) off.delete(input.name);
  else off.add(input.name);
  const only = whole.prediction.present.filter((m) => !off.has(m));
  await attempt("Asking again …", async (signal) => {
    try {
      if (only.length === whole.prediction.present.length) answer = whole;
      else answer = only.length ? await service.ask(asked, only, signal) : null;
    } catch (error) {
      if (error.name !== "AbortError") {
        off = before;
        input.checked = !input.checked;
      }
      throw error;
    }
    showSwitched();
  });
}

function choose(file) {
  clip = file ?? null;
  $("file").files = listOf(clip);
  $("clear").hidden = clip === null;
  $("drop").classList.toggle("full", clip !== null);
  $("state").textContent = clip ? `Chosen: ${clip.name}, ${size(clip.size)}.` : "";
}

/** A file as a list, such as the input wants: what is dropped or recorded shows there, too. */
function listOf(file) {
  const held = new DataTransfer();
  if (file) held.items.add(file);
  return held.files;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

async function record() {
  if (recorder.isBusy()) return recorder.stop();
  $("record").textContent = "Stop recording";
  $("trouble").textContent = "";
  try {
    choose(await recorder.record(model?.clip_seconds ?? 60));
  } catch (error) {
    $("trouble").textContent = error.message;
  }
  $("record").textContent = "Record camera and microphone";
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  service.useToken($("token").value);
  attempt("Reading …", send);
});
$("file").addEventListener("change", () => choose($("file").files[0]));
$("record").addEventListener("click", record);
$("clear").addEventListener("click", () => {
  choose(null);
  $("file").focus();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
  });
}

attempt("", begin);
