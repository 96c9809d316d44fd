// How the map is moved: wheel, dragging, two fingers, keys; a press that does not move chooses a point.

const MOVED_PX = 4;

export function listenToMap(view) {
  const { frame, canvas } = view;
  const fingers = new Map();
  let moved = false;
  const at = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  frame.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.zoomAt(...at(event), Math.exp(-event.deltaY / 400));
  }, { passive: false });

  frame.addEventListener("pointerdown", (event) => {
    if (event.target !== canvas) return;
    if (!fingers.size) moved = false;
    fingers.set(event.pointerId, at(event));
  });

  frame.addEventListener("pointermove", (event) => {
    const here = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      view.onHover(event.target === canvas ? view.nearest(...here) : null, ...here);
      return;
    }
    if (!moved && fingers.size === 1 && Math.hypot(here[0] - before[0], here[1] - before[1]) < MOVED_PX) return;
    moved = true;
    if (fingers.size === 1) drag(view, before, here);
    else pinch(view, before, here, [...fingers].find(([id]) => id !== event.pointerId)[1]);
    fingers.set(event.pointerId, here);
  });

  addEventListener("pointerup", (event) => {
    const wasPressed = fingers.delete(event.pointerId);
    const row = wasPressed && !moved ? view.nearest(...at(event)) : null;
    if (row !== null) view.onChoose(row);
  });
  addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  frame.addEventListener("pointerleave", () => view.onHover(null));
  frame.addEventListener("keydown", (event) => press(view, event));
}

function drag(view, from, to) {
  const [ax, ay] = view.under(...from);
  const [bx, by] = view.under(...to);
  view.moveTo(view.x + ax - bx, view.y + ay - by, view.zoom);
}

/** One of two fingers moved: what lies between them stays between them. */
function pinch(view, from, to, other) {
  const apart = ([x, y]) => Math.max(Math.hypot(x - other[0], y - other[1]), 1);
  const between = ([x, y]) => [(x + other[0]) / 2, (y + other[1]) / 2];
  drag(view, between(from), between(to));
  view.zoomAt(...between(to), apart(to) / apart(from));
}

function press(view, event) {
  if (event.target !== view.frame || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = 0.2 / view.zoom;
  const move = (dx, dy) => () => view.moveTo(view.x + dx * step, view.y + dy * step, view.zoom);
  const act = {
    ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, 1), ArrowDown: move(0, -1),
    "+": () => view.zoomBy(1.5), "=": () => view.zoomBy(1.5), "-": () => view.zoomBy(1 / 1.5), 0: () => view.moveTo(0, 0, 1),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
