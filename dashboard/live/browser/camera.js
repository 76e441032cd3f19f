// The camera of the browser: opening it, listing what there is, and one sentence for each way it can fail.

const CAMERA_PROBLEMS = {
  NotAllowedError: "The browser blocked access to the camera. Allow the camera for this page in the address bar, then click Start.",
  NotFoundError: "No camera was found. Connect one and click Start, or open a photo in Analyze.",
  NotReadableError: "The camera is in use by another tab or program. Close it there and click Start.",
  AbortError: "The camera could not be started. Close other tabs and programs that use it and click Start.",
  OverconstrainedError: "The chosen camera is no longer connected. Choose another one and click Start.",
};
const CAMERA_ENDED = "The camera was disconnected or blocked. Connect or allow it and click Start.";

/** A stream of the camera with that id, or of any. Throws an Error whose message is a sentence for the user. */
async function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) {
    const port = location.port ? `:${location.port}` : "";
    throw new Error(
      "Browsers allow the camera only on pages that are opened over HTTPS or from localhost. " +
        `Open http://localhost${port} on the machine where FERscope runs, or serve it over HTTPS.`,
    );
  }
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which }, audio: false });
  } catch (error) {
    throw new Error(CAMERA_PROBLEMS[error.name] ?? `The camera could not be opened (${error.name}). Click Start to try again.`);
  }
}

/** A stream that shows a portrait moving through the picture, for trying the page without a camera. */
async function openPortrait(url) {
  const portrait = new Image();
  portrait.src = url;
  await portrait.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  const free = { x: canvas.width - portrait.width, y: canvas.height - portrait.height };
  const stream = canvas.captureStream(30);
  const draw = (now) => {
    const angle = (2 * Math.PI * now) / 8000;
    context.fillStyle = "#5A5A5A";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(portrait, free.x * (0.5 + 0.45 * Math.sin(angle)), free.y * (0.5 + 0.45 * Math.cos(angle)));
    if (stream.active) requestAnimationFrame(draw);
  };
  draw(performance.now());
  return stream;
}

/** The cameras as {id, name}; browsers tell the names only after the camera was allowed. */
async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const cameras = devices.filter((device) => device.kind === "videoinput" && device.deviceId);
  return cameras.map((device, index) => ({ id: device.deviceId, name: device.label || `Camera ${index + 1}` }));
}

/** Call back for every new frame of a video with the time it was captured, in ms of performance.now(), until the
 * returned function is called. A hidden page receives no frames. */
function onEveryFrame(video, callback) {
  let handle;
  const byVideo = "requestVideoFrameCallback" in video;
  const request = () => {
    handle = byVideo ? video.requestVideoFrameCallback(next) : requestAnimationFrame(next);
  };
  const next = (now, metadata) => {
    request();
    callback(metadata?.captureTime ?? now);
  };
  request();
  return () => (byVideo ? video.cancelVideoFrameCallback(handle) : cancelAnimationFrame(handle));
}
