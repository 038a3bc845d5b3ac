// Records a clip with camera and microphone, or with the microphone alone where there is no camera.

const preview = document.getElementById("preview");

let busy = false; // from asking for the devices until they are let go
let running = null;

export function isBusy() {
  return busy;
}

/** Record until `stop`, or so many seconds; gives the clip. */
export async function record(seconds) {
  busy = true;
  let stream = null;
  try {
    stream = await devices();
    return await recorded(stream, seconds);
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    preview.srcObject = null;
    preview.hidden = true;
    running = null;
    busy = false;
  }
}

async function recorded(stream, seconds) {
  const parts = [];
  const recorder = new MediaRecorder(stream);
  running = recorder;
  preview.hidden = stream.getVideoTracks().length === 0;
  preview.srcObject = stream;
  preview.play().catch(() => {});
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done, { once: true }));
  const timer = setTimeout(stop, 1000 * seconds);
  recorder.start();
  await stopped;
  clearTimeout(timer);
  return new File(parts, "recording", { type: recorder.mimeType });
}

export function stop() {
  if (running?.state === "recording") running.stop();
}

async function devices() {
  if (!navigator.mediaDevices) {
    throw new Error("The browser records only on this machine's own address, or over HTTPS.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  } catch (error) {
    if (error.name === "NotAllowedError") throw new Error("The browser was not allowed to record.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    throw new Error("There is neither a camera nor a microphone.");
  }
}
