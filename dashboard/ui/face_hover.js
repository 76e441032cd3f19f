// Shows the face or the frame behind a point of a Plotly figure while the pointer is over it. Plotly's own labels hold only text.
window.ferscopeFaces ??= {};
if (!window.ferscopeFaceHover) {
  window.ferscopeFaceHover = true;
  const card = document.createElement("div");
  card.setAttribute("role", "img");
  Object.assign(card.style, {
    position: "fixed", display: "none", pointerEvents: "none", zIndex: 1000,
    border: "1px solid #9AA8AB", borderRadius: "4px",
  });
  document.body.append(card);
  const hide = () => { card.style.display = "none"; };
  const show = (faces, event) => {
    const point = event.points[0];
    const position = faces.times ? nearest(faces.times, point?.x) : faces.rows.indexOf(point?.customdata?.[0]);
    if (position < 0) return hide();
    const { clientX: x, clientY: y } = event.event;
    const [width, height] = faces.shown;
    const column = position % faces.columns, line = Math.floor(position / faces.columns);
    Object.assign(card.style, {
      display: "block",
      width: `${width}px`,
      height: `${height}px`,
      left: `${Math.max(8, Math.min(x + 16, window.innerWidth - width - 8))}px`,
      top: `${y > height + 24 ? y - height - 16 : y + 24}px`,
      backgroundImage: `url(${faces.sheet})`,
      backgroundSize: `${width * faces.columns}px auto`,
      backgroundPosition: `${-width * column}px ${-height * line}px`,
    });
    card.setAttribute("aria-label", faces.times ? `Frame at ${faces.times[position]} s` : `Image ${faces.rows[position]}`);
  };
  // The index of the nearest time; -1 where none is near, as in a part that was not analyzed.
  const nearest = (times, time) => {
    if (!Number.isFinite(time) || !times.length) return -1;
    const steps = times.slice(1).map((later, index) => later - times[index]).sort((one, other) => one - other);
    const distance = (index) => Math.abs(times[index] - time);
    const found = times.reduce((best, _, index) => (distance(index) < distance(best) ? index : best), 0);
    return distance(found) <= 2 * (steps[Math.floor(steps.length / 2)] ?? Infinity) ? found : -1;
  };
  // Streamlit may draw a figure anew at any time, so listeners are attached when the pointer arrives.
  document.addEventListener("pointerover", (event) => {
    const plot = event.target.closest?.(".js-plotly-plot");
    if (!plot) return hide();
    const key = Object.keys(window.ferscopeFaces).find((name) => plot.closest(`.st-key-${CSS.escape(name)}`));
    if (!key || plot.ferscopeFaceHover) return;
    plot.ferscopeFaceHover = true;
    plot.on("plotly_hover", (hovered) => window.ferscopeFaces[key] && show(window.ferscopeFaces[key], hovered));
    plot.on("plotly_unhover", hide);
  });
}
