// The sentences about the state of the view and about the shown frame.

const IDLE = "Click Start to open the camera. Its frames go to this FERscope server only and are never stored.";
const LOST = "The connection to the server is interrupted. Reconnecting …";
const NO_FRAMES = "The camera delivers no frames. Close other tabs and programs that use it, or click Stop and Start.";
const NO_ANSWER = "The server has not answered for some seconds. It may be busy; this page keeps waiting.";
const STALLED_AFTER_MS = 4000;

/** What the user has to know about the state of a LiveView; empty while frames are shown. */
function messageOf({ state, problem, shown, connection, flight, progressAt }) {
  if (state === "stopped") return problem || (shown ? "" : IDLE);
  if (state === "opening") return "Opening the camera …";
  if (!connection.isReady && connection.failures) return LOST;
  const isStalled = state === "live" && performance.now() - progressAt > STALLED_AFTER_MS;
  if (isStalled && !document.hidden) return flight ? NO_ANSWER : NO_FRAMES;
  return problem || (shown ? "" : "Waiting for the first frame …");
}

/** What there is to know about the shown frame, or to do with it. */
function hintOf({ shown, data }) {
  if (!shown) return "";
  const { left_out: leftOut, faces } = shown.answer;
  const titles = data.series.filter(({ network }) => leftOut.includes(network)).map(({ title }) => title);
  if (titles.length) return `${titles.join(", ")}: no valid prediction; the weights may be damaged.`;
  const classes = [...new Set(faces.filter((face) => face.map).map((face) => face.map.class))];
  const of = classes.length === 1 ? classes[0] : "the predicted class of each face";
  const evidence = classes.length ? `Map: evidence for ${of}, yellow is the maximum. ` : "";
  return evidence + (faces.length > 1 ? "Click a face in the picture to see its probabilities." : "");
}
