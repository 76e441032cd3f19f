// The photo with its faces in boxes, each of which can be clicked, and zoom for photos with many faces.
const MAX_ZOOM = 6;

export default function ({ parentElement, data, setTriggerValue }) {
  const frame = parentElement.querySelector(".window");
  const photo = parentElement.querySelector(".photo");
  const image = photo.querySelector("img");
  const zoomBar = parentElement.querySelector(".zoom");
  if (image.getAttribute("src") !== data.source) image.src = data.source;
  image.alt = data.alt;
  for (const element of [frame, photo]) element.style.setProperty("--aspect", data.aspect);

  photo.querySelectorAll(".face").forEach((face) => face.remove());
  for (const [index, face] of data.faces.entries()) {
    const box = document.createElement(data.clickable ? "button" : "div");
    box.className = "face";
    box.classList.toggle("selected", index === data.selected);
    box.classList.toggle("uncertain", face.uncertain);
    box.classList.toggle("at-top", face.top < 0.05);
    for (const side of ["left", "top", "width", "height"]) box.style[side] = `${100 * face[side]}%`;
    if (data.clickable) {
      box.type = "button";
      box.title = "Select this face";
      box.setAttribute("aria-label", `Face ${face.title}`);
      box.setAttribute("aria-pressed", index === data.selected);
      box.onclick = () => setTriggerValue("face", index);
    }
    const number = document.createElement("span");
    number.textContent = index + 1;
    box.append(number);
    photo.append(box);
  }

  const show = (zoom) => {
    photo.dataset.zoom = zoom;
    photo.style.setProperty("--zoom", zoom);
    frame.classList.toggle("zoomed", zoom > 1);
    for (const button of zoomBar.querySelectorAll("button")) {
      button.disabled = button.dataset.factor > 1 ? zoom >= MAX_ZOOM : zoom <= 1;
    }
  };
  zoomBar.hidden = !data.zoomable;
  show(Number(photo.dataset.zoom ?? 1));
  for (const button of zoomBar.querySelectorAll("button")) {
    button.onclick = () => {
      const zoom = Number(photo.dataset.zoom) * button.dataset.factor;
      show(Math.min(MAX_ZOOM, zoom < 1.01 ? 1 : zoom));
      const face = photo.querySelector(".selected"); // the selected face stays in the middle
      frame.scrollLeft = face.offsetLeft + (face.offsetWidth - frame.clientWidth) / 2;
      frame.scrollTop = face.offsetTop + (face.offsetHeight - frame.clientHeight) / 2;
    };
  }
}
