// Talks to the service. Every call gives what it answered, or throws an Error with its sentence.

let token = "";

export function useToken(value) {
  token = value.trim();
}

export class NeedsToken extends Error {}

export function model() {
  return call("/model", {});
}

/** Ask about a clip; the answer holds what was extracted, so that it can be asked again. */
export function askClip(clip, text, signal) {
  const form = new FormData();
  form.append("clip", clip, "clip");
  if (text) form.append("text", text);
  form.append("features", "true");
  return call("/predict", { method: "POST", body: form, signal });
}

/** Ask about words or features; `only`: the modalities that the model may use. */
export function ask(question, only, signal) {
  return call("/predict", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(only ? { ...question, only } : question),
    signal,
  });
}

async function call(path, options) {
  const headers = { ...options.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service cannot be reached.");
  }
  const content = await response.json().catch(() => ({}));
  if (response.status === 401) throw new NeedsToken("The service asks for its token.");
  if (!response.ok) throw new Error(sentence(content.error ?? `The service says ${response.status}.`));
  return content;
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
