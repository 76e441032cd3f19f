// Shows the face behind a point of a Plotly figure while the pointer is over it. Plotly's own labels hold only text.
window.ferscopeFaces ??= {};
if (!window.ferscopeFaceHover) {
  window.ferscopeFaceHover = true;
  const SIZE = 96;
  const card = document.createElement("div");
  card.setAttribute("role", "img");
  Object.assign(card.style, {
    position: "fixed", width: `${SIZE}px`, height: `${SIZE}px`, display: "none", pointerEvents: "none", zIndex: 1000,
    border: "1px solid #9AA8AB", borderRadius: "4px",
  });
  document.body.append(card);
  const hide = () => { card.style.display = "none"; };
  const show = (faces, event) => {
    const row = event.points[0]?.customdata?.[0];
    const position = faces.rows.indexOf(row);
    if (position < 0) return hide();
    const { clientX: x, clientY: y } = event.event;
    const column = position % faces.columns, line = Math.floor(position / faces.columns);
    Object.assign(card.style, {
      display: "block",
      left: `${Math.min(x + 16, window.innerWidth - SIZE - 8)}px`,
      top: `${y > SIZE + 24 ? y - SIZE - 16 : y + 24}px`,
      backgroundImage: `url(${faces.sheet})`,
      backgroundSize: `${SIZE * faces.columns}px auto`,
      backgroundPosition: `${-SIZE * column}px ${-SIZE * line}px`,
    });
    card.setAttribute("aria-label", `Image ${row}`);
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
