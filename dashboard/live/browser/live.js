// The component: one frame is on its way to the server at a time; when its answer is there, that frame is shown with
// what was found in it, and the newest frame of the camera is sent. Frames in between are dropped.

const SENT_PX = 640; // longest side of the frames that are sent
const JPEG_QUALITY = 0.8;
const RATE_WINDOW_MS = 2000;

class LiveView {
  constructor(root) {
    this.root = root;
    const find = (selector) => root.querySelector(selector);
    this.elements = {
      stage: find(".stage"), video: find("video"), message: find(".message"), start: find(".start"),
      freeze: find(".freeze"), analyze: find(".analyze"), next: find(".next"), record: find(".record"), cameras: find(".cameras"),
      select: find("select"), sample: find(".sample"), figures: find(".figures"), title: find(".title"), hint: find(".hint"),
    };
    this.picture = new Picture(find(".picture"));
    this.chart = new Chart(find(".chart"));
    this.history = new History();
    this.state = "stopped"; // or "opening", "live", "frozen"
    this.problem = "";
    this.shownTimes = [];
    this.lastTrack = this.tracksBefore = 0;
    this.sending = document.createElement("canvas");
    this.sendingContext = this.sending.getContext("2d", { alpha: false, willReadFrequently: true });
    const { start, sample, freeze, analyze, next, record, select } = this.elements;
    start.onclick = () => (this.state === "stopped" ? this.start() : this.stop());
    sample.onclick = () => this.start({ withPortrait: true });
    freeze.onclick = () => this.setState(this.state === "frozen" ? "live" : "frozen");
    analyze.onclick = () => this.analyzeShown();
    next.onclick = () => this.select(trackAfter(this.selected, this.shown.answer.faces));
    record.onclick = () => this.toggleRecording();
    select.onchange = () => this.state !== "stopped" && this.start();
    this.picture.canvas.onclick = (event) => this.select(this.picture.trackAt(event));
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.elements.stage);
    this.resizing.observe(this.chart.canvas);
  }

  /** Called at first and whenever Streamlit has new data or another theme. */
  update({ data, setTriggerValue }) {
    this.setTriggerValue = setTriggerValue;
    const isNewSession = this.data && this.data.token !== data.token;
    this.data = data;
    if (isNewSession && this.connection) this.connect();
    const style = getComputedStyle(this.root.querySelector(".live"));
    const color = (name) => style.getPropertyValue(name).trim();
    this.ink = { text: color("--st-text-color"), faint: color("--st-border-color") };
    this.series = data.series.find((series) => series.key === data.shown) ?? data.series[0];
    this.render();
  }

  async start({ withPortrait = false } = {}) {
    this.release();
    this.problem = "";
    this.setState("opening");
    const attempt = (this.attempt = {});
    try {
      const stream = withPortrait ? await openPortrait(this.data.portrait) : await openCamera(this.elements.select.value);
      if (this.attempt !== attempt) return stream.getTracks().forEach((track) => track.stop());
      this.stream = stream;
    } catch (error) {
      if (this.attempt === attempt) this.stop(error.message);
      return;
    }
    const { video } = this.elements;
    this.stream.getVideoTracks()[0].onended = () => this.stop(CAMERA_ENDED);
    video.srcObject = this.stream;
    await video.play().catch(() => {});
    if (this.attempt !== attempt) return;
    this.shownTimes = [];
    this.progressAt = performance.now();
    this.watching = setInterval(() => this.render(), 1000);
    this.connect();
    this.stopFrames = onEveryFrame(video, (capturedAt) => this.onFrame(capturedAt));
    this.setState("live");
    if (!withPortrait) this.showCameras(await listCameras());
  }

  stop(problem = "") {
    this.release();
    this.problem = problem;
    this.setState("stopped");
  }

  /** Let go of the camera and the connection. */
  release() {
    this.attempt = null;
    this.stopFrames?.();
    this.connection?.close();
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.elements.video.srcObject = null;
    clearInterval(this.watching);
    this.dropFlight();
    this.stopFrames = this.connection = this.stream = this.newest = null;
  }

  destroy() {
    this.release();
    this.resizing.disconnect();
    this.shown?.bitmap.close();
    this.shown = null;
  }

  connect() {
    this.connection?.close();
    this.dropFlight();
    this.connection = new Connection(this.data.path, this.data.token, {
      onAnswer: (answer) => this.onAnswer(answer),
      onChange: () => {
        this.dropFlight();
        this.tracksBefore = this.lastTrack; // the server counts from 1 again; a number is used for one face only
        this.render();
      },
    });
  }

  /** No answer to the frame on its way is expected any more. */
  dropFlight() {
    this.flight?.bitmap?.close();
    this.flight = null;
  }

  onFrame(capturedAt) {
    this.newest = capturedAt;
    this.sendNewest();
  }

  async sendNewest() {
    if (this.state !== "live" || this.flight || this.newest === null || !this.connection?.isReady) return;
    const flight = (this.flight = { capturedAt: this.newest });
    this.newest = null;
    flight.bitmap = await createImageBitmap(this.elements.video).catch(() => null);
    if (this.flight !== flight) return flight.bitmap?.close();
    if (!flight.bitmap) return this.dropFlight(); // the video has no picture yet
    const { width, height } = flight.bitmap;
    flight.scale = Math.min(1, SENT_PX / Math.max(width, height));
    const size = { width: Math.round(width * flight.scale), height: Math.round(height * flight.scale) };
    const { sending } = this;
    if (sending.width !== size.width || sending.height !== size.height) Object.assign(sending, size);
    this.sendingContext.drawImage(flight.bitmap, 0, 0, size.width, size.height);
    const frame = await new Promise((resolve) => sending.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    if (this.flight === flight && this.connection?.isReady) this.connection.send(frame);
  }

  onAnswer(answer) {
    const flight = this.flight;
    this.flight = null;
    if (!flight) return;
    if (this.state !== "live" || answer.error) {
      flight.bitmap.close();
      this.problem = answer.error ?? "";
      this.progressAt = performance.now();
      this.render();
      return;
    }
    if (this.problem) {
      this.problem = "";
      this.render();
    }
    this.sendNewest();
    for (const face of answer.faces) {
      face.track += this.tracksBefore;
      this.lastTrack = Math.max(this.lastTrack, face.track);
    }
    const isFirst = !this.shown;
    this.shown?.bitmap.close();
    this.shown = { ...flight, answer };
    this.history.add(flight.capturedAt, answer.faces);
    if (!answer.faces.some((face) => face.track === this.selected)) {
      const largest = [...answer.faces].sort((one, other) => other.box[2] * other.box[3] - one.box[2] * one.box[3])[0];
      if (largest && !this.isChosen()) this.selected = largest.track;
    }
    this.recording?.add(flight.capturedAt, answer, this.data.series, 1 / flight.scale);
    if (isFirst) this.render();
    else this.draw();
    const now = (this.progressAt = performance.now());
    this.shown.ageMs = now - flight.capturedAt;
    this.shownTimes = [...this.shownTimes.filter((time) => time > now - RATE_WINDOW_MS), now];
    this.showFigures();
    // What a measurement or a test needs to know about each shown frame.
    const detail = { ageMs: this.shown.ageMs, elapsedMs: answer.elapsed_ms, tracks: answer.faces.map((f) => f.track) };
    this.elements.stage.dispatchEvent(new CustomEvent("ferscope-frame", { detail, bubbles: true, composed: true }));
  }

  select(track) {
    if (track === undefined) return;
    this.selected = track;
    this.chosen = track;
    this.draw();
  }

  /** Whether the user chose a face that was seen within the window of the chart. */
  isChosen() {
    const begin = this.shown.capturedAt - 1000 * this.data.window_s;
    return this.chosen === this.selected && this.history.wasFoundSince(this.chosen, begin);
  }

  draw() {
    if (!this.shown || !this.data) return;
    const { colors, colormap, mirror, chart, window_s: windowS } = this.data;
    this.elements.stage.classList.add("filled");
    this.picture.draw(this.shown, { series: this.series, colors, colormap, mirror, selected: this.selected });
    const points = this.history.tracks.get(this.selected) ?? [];
    const lines = linesOf(points, this.series, { colors, chart, allSeries: this.data.series });
    this.chart.draw(points, this.shown.capturedAt, lines, { windowS, ink: this.ink });
    const what = chart === "networks" ? `${this.series.classes[leadingIn(points, this.series)]} by network` : this.series.title;
    this.elements.title.textContent = this.selected
      ? `Face ${this.selected}: ${what}, last ${windowS} s`
      : "No face has been found yet.";
  }

  showFigures() {
    const { shownTimes, shown } = this;
    const span = shownTimes.at(-1) - shownTimes[0];
    const rate = span > 0 ? (1000 * (shownTimes.length - 1)) / span : 0;
    const count = shown.answer.faces.length;
    this.elements.figures.textContent =
      `${rate.toFixed(1)} frames/s · age of the frame ${Math.round(shown.ageMs)} ms · ` +
      `analysis ${Math.round(shown.answer.elapsed_ms)} ms · ${count === 1 ? "1 face" : `${count} faces`} · ` +
      `${shown.bitmap.width} × ${shown.bitmap.height} px`;
    this.elements.next.hidden = count < 2;
    this.elements.hint.textContent = hintOf(this);
    this.picture.canvas.ariaLabel = this.picture.described(shown.answer, this.series);
    this.elements.record.textContent = this.recordingText();
  }

  recordingText() {
    const count = this.recording?.rows.length;
    return this.recording ? `Stop and save CSV (${count === 1 ? "1 row" : `${count} rows`})` : "Record numbers";
  }

  showCameras(cameras) {
    const { select } = this.elements;
    const current = this.stream?.getVideoTracks()[0].getSettings().deviceId ?? "";
    select.replaceChildren(...cameras.map(({ id, name }) => new Option(name, id, false, id === current)));
    this.render();
  }

  setState(state) {
    this.state = state;
    this.progressAt = performance.now();
    this.render();
  }

  /** Buttons and messages as the state requires. */
  render() {
    const { start, sample, freeze, analyze, record, cameras, select, message, hint } = this.elements;
    const isRunning = this.state === "live" || this.state === "frozen";
    start.textContent = this.state === "stopped" ? "Start" : "Stop";
    start.classList.toggle("primary", this.state === "stopped");
    freeze.textContent = this.state === "frozen" ? "Continue" : "Freeze";
    freeze.disabled = !isRunning || !this.shown;
    analyze.disabled = !this.shown;
    record.textContent = this.recordingText();
    record.disabled = !isRunning && !this.recording;
    cameras.hidden = select.options.length < 2;
    message.textContent = messageOf(this);
    sample.hidden = this.state !== "stopped";
    hint.textContent = hintOf(this);
    this.draw();
  }

  toggleRecording() {
    if (this.recording) this.recording.save();
    this.recording = this.recording ? null : new Recording();
    this.render();
  }

  /** Send the shown frame at the resolution of the camera to the page, which opens it in Analyze. */
  analyzeShown() {
    const { bitmap } = this.shown;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const url = canvas.toDataURL("image/jpeg", 0.95);
    this.setTriggerValue("frame", url.slice(url.indexOf(",") + 1));
  }
}

const views = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  if (!views.has(parentElement)) views.set(parentElement, new LiveView(parentElement));
  views.get(parentElement).update(component);
  return () => {
    views.get(parentElement)?.destroy();
    views.delete(parentElement);
  };
}
