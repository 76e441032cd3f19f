// The probabilities of one face over the last seconds: a line per class of one network, or a line per network for the
// leading expression; each is named at its right end.

const KEPT_MS = 125_000;
// Without a value for so long, or for this many frames of a slow server, the line is interrupted.
const GAP = { leastMs: 1000, mostMs: 5000, frames: 2.5 };
const MARGIN = { left: 38, right: 20, top: 10, bottom: 22 }; // right of the names
const NAME_PX = { least: 66, most: 150 };
const LABEL_PX = 13;
const DASHES = {
  solid: [], dot: [2, 3], dash: [7, 4], longdash: [12, 5], dashdot: [7, 4, 2, 4], longdashdot: [12, 5, 2, 5],
};

/** The lines of the chart: their names, colors and dashes, and the probability of each at a point of a History. */
function linesOf(points, series, { colors, chart, allSeries }) {
  const probability = (key, index) => (point) => point.series[key]?.[1][index];
  if (chart !== "networks") {
    return series.classes.map((name, index) => ({ name, color: colors[name], dash: "solid", value: probability(series.key, index) }));
  }
  const index = leadingIn(points, series);
  return allSeries
    .filter(({ classes }) => classes.join() === series.classes.join())
    .map(({ key, title, color, dash }) => ({ name: title, color, dash, value: probability(key, index) }));
}

/** The index of the class that a series predicts at the last point. */
function leadingIn(points, series) {
  const last = points.findLast((point) => point.series[series.key]);
  return last ? leading(last.series[series.key][1])[0] : 0;
}

/** What was found of each face, by track, oldest first. */
class History {
  constructor() {
    this.tracks = new Map();
  }

  /** Whether a face was found at this time or later. */
  wasFoundSince(track, time) {
    return (this.tracks.get(track)?.at(-1).time ?? -Infinity) >= time;
  }

  add(time, faces) {
    for (const face of faces) {
      if (!this.tracks.has(face.track)) this.tracks.set(face.track, []);
      this.tracks.get(face.track).push({ time, series: face.series });
    }
    for (const [track, points] of this.tracks) {
      let old = 0;
      while (old < points.length && points[old].time < time - KEPT_MS) old++;
      if (old) points.splice(0, old);
      if (!points.length) this.tracks.delete(track);
    }
  }
}

class Chart {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** `points` are those of one face in a History, `end` is the time at the right border; see linesOf for `lines`. */
  draw(points, end, lines, { windowS, ink }) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (!width) return;
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (this.canvas.width !== size.width || this.canvas.height !== size.height) Object.assign(this.canvas, size);
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `${LABEL_PX}px "Source Sans", system-ui, sans-serif`;
    const start = end - 1000 * windowS;
    const area = { left: MARGIN.left, right: width - MARGIN.right - this.nameWidth(lines), top: MARGIN.top, bottom: height - MARGIN.bottom };
    const x = (time) => area.left + ((time - start) / (end - start)) * (area.right - area.left);
    const y = (probability) => area.bottom - probability * (area.bottom - area.top);
    this.drawAxes(area, x, y, end, windowS, ink);
    const visible = points.filter((point) => point.time >= start);
    const labels = [];
    for (const line of lines) {
      const known = visible.filter((point) => line.value(point) !== undefined);
      this.drawLine(known, line, x, y);
      if (known.length) labels.push({ ...line, y: y(line.value(known.at(-1))) });
    }
    this.drawLabels(labels, area, ink);
  }

  gapMs(points) {
    const steps = points.slice(1).map((point, index) => point.time - points[index].time).sort((one, other) => one - other);
    const usual = steps[Math.floor(steps.length / 2)] ?? 0;
    return Math.max(GAP.leastMs, Math.min(GAP.mostMs, GAP.frames * usual));
  }

  nameWidth(lines) {
    const widest = Math.max(...lines.map(({ name }) => this.context.measureText(name).width));
    return Math.min(Math.max(widest, NAME_PX.least), NAME_PX.most);
  }

  drawAxes(area, x, y, end, windowS, ink) {
    const context = this.context;
    context.lineWidth = 1;
    context.strokeStyle = ink.faint;
    context.fillStyle = ink.text;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const probability of [0, 0.5, 1]) {
      context.beginPath();
      context.moveTo(area.left, y(probability));
      context.lineTo(area.right, y(probability));
      context.stroke();
      context.fillText(`${100 * probability} %`, area.left - 4, y(probability));
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    const step = windowS <= 20 ? 5 : windowS <= 60 ? 15 : 30;
    for (let ago = 0; ago <= windowS; ago += step) {
      context.fillText(ago ? `−${ago} s` : "now", x(end - 1000 * ago), area.bottom + 5);
    }
  }

  drawLine(points, { value, color, dash }, x, y) {
    const context = this.context;
    const gapMs = this.gapMs(points);
    context.beginPath();
    points.forEach((point, index) => {
      const joins = index && point.time - points[index - 1].time < gapMs;
      context[joins ? "lineTo" : "moveTo"](x(point.time), y(value(point)));
    });
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.strokeStyle = color;
    context.setLineDash(DASHES[dash] ?? []);
    context.stroke();
    context.setLineDash([]);
  }

  /** The names next to the ends of their lines, moved apart so that none covers another. */
  drawLabels(labels, area, ink) {
    const context = this.context;
    const placed = [...labels].sort((one, other) => one.y - other.y);
    placed.forEach((label, index) => {
      label.at = Math.max(label.y, index ? placed[index - 1].at + LABEL_PX : area.top);
    });
    let lowest = area.bottom - 2;
    for (const label of [...placed].reverse()) {
      label.at = Math.min(label.at, lowest);
      lowest = label.at - LABEL_PX;
      context.fillStyle = label.color;
      context.fillRect(area.right + 6, label.at - 4, 8, 8);
      context.fillStyle = ink.text;
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.fillText(label.name, area.right + 18, label.at, NAME_PX.most);
    }
  }
}
