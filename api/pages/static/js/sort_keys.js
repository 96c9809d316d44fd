// Sorting without a mouse: which row is meant, and what each key does to it.

const MOVES = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** `rows()` are the elements in order, `act(key, element)` does what a key means and says whether it meant anything. */
export function listenForKeys({ rows, act, signal }) {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog, [role=slider]")) return;
    // On a button these two press it.
    if (["Enter", " "].includes(event.key) && target.closest("button, a, summary, label")) return;
    const by = MOVES[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (by ? move(rows(), by) : act(event.key.length === 1 ? event.key.toLowerCase() : event.key, current(rows()))) event.preventDefault();
  }, { signal });
}

/** The row that is meant: that with the focus in it, else the one that was meant last. */
export function current(rows) {
  return rows.find((row) => row.contains(document.activeElement)) ?? rows.find((row) => row.getAttribute("aria-current") === "true") ?? null;
}

/** Mean a row, and bring it into sight. */
export function mean(rows, row, { focus = true } = {}) {
  for (const other of rows) if (other !== row) other.removeAttribute("aria-current");
  if (!row) return;
  row.setAttribute("aria-current", "true");
  if (focus) { row.focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
}

function move(rows, by) {
  if (!rows.length) return false;
  const place = rows.indexOf(current(rows));
  mean(rows, rows[Math.min(Math.max(place + by, 0), rows.length - 1)]);
  return true;
}
