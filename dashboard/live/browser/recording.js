// Numbers of every frame as CSV, with time stamps: the predictions as they were, not smoothed. Never pictures.

const MAX_ROWS = 500_000;

class Recording {
  constructor() {
    this.begin = null; // when the first frame was captured, in ms of performance.now()
    this.rows = [];
  }

  /** `scale` is px of the camera's frame per px of the analyzed one. */
  add(capturedAt, answer, series, scale) {
    this.begin ??= capturedAt;
    const time = new Date(performance.timeOrigin + capturedAt).toISOString();
    const seconds = ((capturedAt - this.begin) / 1000).toFixed(3);
    for (const face of answer.faces) {
      const box = face.box.map((value) => (value * scale).toFixed(1));
      for (const { key, network, labels, classes } of series) {
        const probabilities = face.series[key]?.[0];
        if (!probabilities || this.rows.length >= MAX_ROWS) continue;
        this.rows.push({
          values: [time, seconds, face.track, ...box, face.score, face.detected, network, labels],
          expression: classes[leading(probabilities)[0]],
          probabilities: Object.fromEntries(classes.map((name, index) => [name, probabilities[index]])),
        });
      }
    }
  }

  csv() {
    const classes = [...new Set(this.rows.flatMap((row) => Object.keys(row.probabilities)))];
    const quote = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
    const names = ["time", "time_s", "track", "left", "top", "width", "height", "score", "detected", "network"];
    const lines = [[...names, "classes", "expression", ...classes.map((name) => `p_${name}`)]];
    for (const { values, expression, probabilities } of this.rows) {
      lines.push([...values, expression, ...classes.map((name) => probabilities[name] ?? "")]);
    }
    return lines.map((line) => line.map(quote).join(",") + "\n").join("");
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
    const begin = new Date(performance.timeOrigin + (this.begin ?? performance.now()));
    link.download = `ferscope-live-${begin.toISOString().slice(0, 19).replaceAll(":", "-")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}
