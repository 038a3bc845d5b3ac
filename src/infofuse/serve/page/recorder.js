// Records a clip with camera and microphone, or with the microphone alone where there is no camera.

const preview = document.getElementById("preview");

let running = null;

export function isRecording() {
  return running !== null;
}

/** Record until `stop`, or so many seconds; gives the clip. */
export async function record(seconds) {
  const stream = await devices();
  const parts = [];
  const recorder = new MediaRecorder(stream);
  preview.hidden = stream.getVideoTracks().length === 0;
  preview.srcObject = stream;
  preview.play().catch(() => {});
  running = recorder;
  const timer = setTimeout(stop, 1000 * seconds);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done, { once: true }));
  recorder.start();
  await stopped;
  clearTimeout(timer);
  for (const track of stream.getTracks()) track.stop();
  preview.srcObject = null;
  preview.hidden = true;
  running = null;
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
