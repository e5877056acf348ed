// Pictures side by side that are zoomed and moved together, by mouse, touch, keys or buttons.
const MOST = 16;
const STEP = 1.4;

export default function ({ data, parentElement }) {
  const panes = parentElement.querySelector(".panes");
  const told = parentElement.querySelector("[role=status]");
  panes.replaceChildren();
  // What is in the middle, as a share of the width and height, and how many of the screen's pixels one of the first
  // picture's gets; null fits it. It outlasts a change of the pictures.
  const view = (panes.view ??= { x: 0.5, y: 0.5, scale: null });
  const frames = data.panes.map(({ address, words, width, height }) => {
    const frame = document.createElement("figure");
    const window_ = document.createElement("div");
    const picture = document.createElement("img");
    const caption = document.createElement("figcaption");
    window_.className = "frame";
    window_.tabIndex = 0;
    window_.setAttribute("role", "group");
    window_.setAttribute("aria-label", `${words}. ${data.words.keys}`);
    picture.src = address;
    picture.alt = words;
    picture.draggable = false;
    caption.textContent = words;
    window_.append(picture);
    frame.append(window_, caption);
    panes.append(frame);
    return { window_, picture, width, height };
  });
  const first = frames[0];
  const pixel = () => 1 / window.devicePixelRatio;
  const fitting = () =>
    Math.min(first.window_.clientWidth / first.width, first.window_.clientHeight / first.height);
  const scale = () => view.scale ?? fitting();

  function draw() {
    for (const { window_, picture, width, height } of frames) {
      const own = (scale() * first.width) / width;
      const [w, h] = [width * own, height * own];
      const left = window_.clientWidth / 2 - view.x * w;
      const top = window_.clientHeight / 2 - view.y * h;
      Object.assign(picture.style, { width: `${w}px`, height: `${h}px`, left: `${left}px`, top: `${top}px` });
      picture.style.imageRendering = own >= pixel() ? "pixelated" : "auto";
      window_.style.touchAction = view.scale === null ? "pan-y" : "none";
    }
    told.textContent = `${Math.round((100 * scale()) / pixel())} %`;
  }
  function zoom(to) {
    view.scale = to === null ? null : Math.min(Math.max(to, fitting()), MOST * pixel());
    if (view.scale === null || view.scale === fitting()) Object.assign(view, { x: 0.5, y: 0.5, scale: null });
    draw();
  }
  function move(right, down) {
    const own = scale();
    view.x = Math.min(Math.max(view.x + right / (first.width * own), 0), 1);
    view.y = Math.min(Math.max(view.y + down / (first.height * own), 0), 1);
    draw();
  }
  const actions = {
    fit: () => zoom(null),
    exact: () => zoom(pixel()),
    in: () => zoom(scale() * STEP),
    out: () => zoom(scale() / STEP),
  };
  const keys = {
    0: actions.fit, 1: actions.exact, "+": actions.in, "-": actions.out,
    ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0), ArrowUp: () => move(0, -60), ArrowDown: () => move(0, 60),
  };
  for (const button of parentElement.querySelectorAll("button")) {
    const { action } = button.dataset;
    button.onclick = actions[action];
    if (action === "fit") button.textContent = data.words.fit;
    else if (action in data.words) button.setAttribute("aria-label", data.words[action]);
  }

  for (const { window_ } of frames) {
    const down = new Map();
    const apart = () => {
      const [a, b] = [...down.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    window_.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    };
    window_.ondblclick = () => (view.scale === null ? actions.exact() : actions.fit());
    window_.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // else the page scrolls
      event.preventDefault();
      zoom(scale() * Math.exp(-event.deltaY / 300));
    }, { passive: false });
    window_.onpointerdown = (event) => {
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      window_.setPointerCapture(event.pointerId);
    };
    window_.onpointermove = (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const gap = down.size === 2 ? apart() : 0;
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (gap) zoom((scale() * apart()) / gap);
      else if (view.scale !== null) move(before.x - event.clientX, before.y - event.clientY);
    };
    window_.onpointerup = window_.onpointercancel = (event) => down.delete(event.pointerId);
  }
  const observer = new ResizeObserver(draw);
  observer.observe(first.window_);
  return () => observer.disconnect();
}
