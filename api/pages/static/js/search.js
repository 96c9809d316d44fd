// A field that finds tracks of the catalogue while one types (the ARIA combobox pattern).

import { el } from "./dom.js";
import { getJson, query } from "./http.js";

const WAIT_MS = 150;
const N_SHOWN = 12;

/** Fill `form` (an input and a button). `onTrack(track)` when one is chosen, `onText(text)` for anything else. */
export function searchBox(form, { onTrack, onText }) {
  const input = form.querySelector("input");
  const list = el("ul", { className: "suggestions", id: `${input.id}-list`, role: "listbox", "aria-label": "Tracks found" });
  input.closest(".row").after(list);
  Object.entries({ role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list" })
    .forEach(([name, value]) => input.setAttribute(name, value));
  let found = [];
  let chosen = -1;
  let timer = 0;
  let running = new AbortController();

  function show(tracks) {
    found = tracks;
    choose(-1);
    input.setAttribute("aria-expanded", String(tracks.length > 0));
    list.replaceChildren(...tracks.map((track, row) => el("li",
      { role: "option", id: `${list.id}-${row}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(track); } },
      `${track.artist} – ${track.title}`)));
  }

  function choose(row) {
    chosen = row;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === row)));
    if (row < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `${list.id}-${row}`);
      list.children[row].scrollIntoView({ block: "nearest" });
    }
  }

  function take(track) {
    input.value = `${track.artist} – ${track.title}`;
    show([]);
    onTrack(track);
  }

  async function look() {
    running.abort();
    running = new AbortController();
    const text = input.value.trim();
    if (text.length < 2) return show([]);
    try {
      const page = await getJson(`/tracks${query({ query: text.slice(0, 200), limit: N_SHOWN })}`, { signal: running.signal });
      if (document.activeElement === input) show(page.tracks);
    } catch { /* typing on asks again; sending says what is wrong */ }
    return undefined;
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, WAIT_MS); });
  input.addEventListener("blur", () => show([]));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      choose((chosen + step + found.length + (chosen < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === "Escape") show([]);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    running.abort();
    const text = input.value.trim();
    if (chosen >= 0) take(found[chosen]);
    else if (text) { show([]); onText(text); }
  });
}
