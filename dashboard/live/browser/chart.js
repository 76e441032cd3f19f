// The probabilities of one face over the last seconds: a line per class, named at its right end.

const KEPT_MS = 125_000;
const GAP_MS = 1000; // without a value for so long, the line is interrupted
const MARGIN = { left: 34, right: 86, top: 10, bottom: 22 };
const LABEL_PX = 13;

/** What was found of each face, by track, oldest first. */
class History {
  constructor() {
    this.tracks = new Map();
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

  /** `points` are those of one face in a History, `end` is the time at the right border. */
  draw(points, end, { series, colors, windowS, ink }) {
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
    const area = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const x = (time) => area.left + ((time - start) / (end - start)) * (area.right - area.left);
    const y = (probability) => area.bottom - probability * (area.bottom - area.top);
    this.drawAxes(area, x, y, end, windowS, ink);
    const visible = points.filter((point) => point.time >= start && point.series[series.key]);
    const values = (point) => point.series[series.key][1];
    const labels = series.classes.map((name, index) => {
      this.drawLine(visible, (point) => values(point)[index], x, y, colors[name]);
      return { name, y: visible.length ? y(values(visible.at(-1))[index]) : null };
    });
    if (visible.length) this.drawLabels(labels, area, colors, ink);
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
      context.fillText(`${100 * probability}%`, area.left - 4, y(probability));
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    const step = windowS <= 20 ? 5 : windowS <= 60 ? 15 : 30;
    for (let ago = 0; ago <= windowS; ago += step) {
      context.fillText(ago ? `−${ago} s` : "now", x(end - 1000 * ago), area.bottom + 5);
    }
  }

  drawLine(points, value, x, y, color) {
    const context = this.context;
    context.beginPath();
    points.forEach((point, index) => {
      const joins = index && point.time - points[index - 1].time < GAP_MS;
      context[joins ? "lineTo" : "moveTo"](x(point.time), y(value(point)));
    });
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.strokeStyle = color;
    context.stroke();
  }

  /** The names next to the ends of their lines, moved apart so that none covers another. */
  drawLabels(labels, area, colors, ink) {
    const context = this.context;
    const placed = [...labels].sort((one, other) => one.y - other.y);
    placed.forEach((label, index) => {
      label.at = Math.max(label.y, index ? placed[index - 1].at + LABEL_PX : area.top);
    });
    let lowest = area.bottom - 2;
    for (const label of [...placed].reverse()) {
      label.at = Math.min(label.at, lowest);
      lowest = label.at - LABEL_PX;
      context.fillStyle = colors[label.name];
      context.fillRect(area.right + 6, label.at - 4, 8, 8);
      context.fillStyle = ink.text;
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.fillText(label.name, area.right + 18, label.at);
    }
  }
}
