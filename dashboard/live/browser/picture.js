// The shown frame with what was found in it: boxes, track numbers, most probable expressions and a saliency map.

const CAPTION_PX = 13;

/** The index and the value of the largest number. */
function leading(probabilities) {
  const top = probabilities.indexOf(Math.max(...probabilities));
  return [top, probabilities[top]];
}

function percent(value) {
  return `${Math.round(100 * value)} %`;
}

class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** `shown` has the frame's `bitmap` and the `answer` about it; `series` is the one whose expression is written. */
  draw(shown, { series, colors, colormap, mirror, selected }) {
    const { bitmap, answer } = shown;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round((width * bitmap.height) / bitmap.width);
    if (!width) return;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const scale = width / answer.width;
    const context = this.context;
    context.setTransform(mirror ? -1 : 1, 0, 0, 1, mirror ? width : 0, 0);
    context.drawImage(bitmap, 0, 0, width, height);
    for (const face of answer.faces) if (face.map) this.drawMap(face.map, scale, colormap);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.boxes = answer.faces.map((face) => {
      const [left, top, w, h] = face.box.map((value) => value * scale);
      const box = { track: face.track, left: mirror ? width - left - w : left, top, width: w, height: h };
      this.drawFace(face, box, { series, colors, ratio, isSelected: face.track === selected });
      return box;
    });
  }

  drawMap(map, scale, colormap) {
    const rows = map.cells.length;
    const columns = map.cells[0].length;
    const cells = new ImageData(columns, rows);
    map.cells.flat().forEach((value, index) => cells.data.set([...colormap[value], 255], 4 * index));
    this.cells ??= document.createElement("canvas");
    Object.assign(this.cells, { width: columns, height: rows });
    this.cells.getContext("2d").putImageData(cells, 0, 0);
    const [[x, y], [rightX, rightY], [downX, downY]] = map.corners.map((corner) => corner.map((v) => v * scale));
    const context = this.context;
    context.save();
    context.globalAlpha = 0.5;
    context.imageSmoothingQuality = "high";
    context.transform(
      (rightX - x) / columns, (rightY - y) / columns, (downX - x) / rows, (downY - y) / rows, x, y,
    );
    context.drawImage(this.cells, 0, 0);
    context.restore();
  }

  drawFace(face, box, { series, colors, ratio, isSelected }) {
    const context = this.context;
    const found = face.series[series.key];
    const color = found ? colors[series.classes[leading(found[1])[0]]] : "#FFFFFF";
    const line = (isSelected ? 3 : 2) * ratio;
    context.lineWidth = line + 2 * ratio; // a dark rim, because a color may be close to that of the picture
    context.strokeStyle = "rgba(0, 0, 0, 0.6)";
    context.strokeRect(box.left, box.top, box.width, box.height);
    context.lineWidth = line;
    context.strokeStyle = color;
    context.strokeRect(box.left, box.top, box.width, box.height);
    const text = `${face.track}  ${this.prediction(face, series)}`;
    const size = CAPTION_PX * ratio;
    context.font = `600 ${size}px "Source Sans", system-ui, sans-serif`;
    const width = context.measureText(text).width + 2.4 * size;
    const left = Math.max(0, Math.min(box.left, this.canvas.width - width));
    const above = box.top - 1.7 * size;
    const y = above >= 0 ? above : Math.min(box.top + box.height, this.canvas.height - 1.7 * size);
    context.fillStyle = "rgba(0, 0, 0, 0.75)";
    context.fillRect(left, y, width, 1.7 * size);
    context.fillStyle = color;
    context.fillRect(left + 0.5 * size, y + 0.45 * size, 0.8 * size, 0.8 * size);
    context.fillStyle = "#FFFFFF";
    context.textBaseline = "middle";
    context.fillText(text, left + 1.7 * size, y + 0.87 * size);
  }

  /** The most probable expression of a face and its probability, and whether it is below the series' threshold. */
  prediction(face, series) {
    const found = face.series[series.key];
    if (!found) return "no prediction";
    const [top, probability] = leading(found[1]);
    const isUnsure = series.threshold !== null && probability < series.threshold;
    return `${series.classes[top]} ${percent(probability)}${isUnsure ? ", unsure" : ""}`;
  }

  /** The picture in words. */
  described(answer, series) {
    const faces = answer.faces.map((face) => `face ${face.track}: ${this.prediction(face, series)}`);
    return `The camera's picture; ${faces.join(", ") || "no face"}`;
  }

  /** The track of the face at a mouse event, if any. */
  trackAt(event) {
    const ratio = this.canvas.width / this.canvas.clientWidth;
    const [x, y] = [event.offsetX * ratio, event.offsetY * ratio];
    const inside = (box) => x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
    return this.boxes?.find(inside)?.track;
  }
}

/** The track of the next face by number; after the last one, that of the first. */
const trackAfter = (selected, faces) => {
  const tracks = faces.map(({ track }) => track).sort((one, other) => one - other);
  return tracks.find((track) => track > selected) ?? tracks[0];
};
