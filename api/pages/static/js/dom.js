// Building the page. Everything from the server is set as text, never as markup.

import { whenBack } from "./http.js";

/** Make an element: properties, `dataset`, `on…` listeners and ARIA or other attributes by their names. */
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(made.dataset, value);
    else if (key in made && !key.startsWith("aria")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SIGNS = { play: "M8 5v14l11-7z", pause: "M6 5h4v14H6zM14 5h4v14h-4z", next: "M16 5h2v14h-2zM4 5v14l11-7z", previous: "M6 5h2v14H6zM20 5v14L9 12z" };

/** A sign of the player as a picture: not every font has them. */
export function sign(name) {
  const [picture, path] = ["svg", "path"].map((part) => document.createElementNS("http://www.w3.org/2000/svg", part));
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 16, height: 16, fill: "currentColor", "aria-hidden": "true" })) picture.setAttribute(key, value);
  path.setAttribute("d", SIGNS[name]);
  picture.append(path);
  return picture;
}

/** The picture of a track of the catalogue, made by the server; nothing where it has none. */
export function cover(trackId, size) {
  return el("img", { className: "art", src: `/tracks/${trackId}/cover`, alt: "", width: size, height: size, loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() });
}

export const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);

/** 83.2 -> "1:23" */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const byId = (id) => document.getElementById(id);

/** "20 Nov 2026, 11:12" in the visitor's own way of writing it. */
export const moment = (iso) => new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

/** `artist – title` of a track, or the one that is known. */
export const named = (track) => [track.artist, track.title].filter(Boolean).join(" – ");

/** Show what went wrong and what to do. `again` tries it again: by a button, or by itself once the server is back. */
export function problemBox(error, { again } = {}) {
  const box = el("div", { className: "problem", role: "alert" },
    el("p", {}, el("strong", {}, error.title ?? "That did not work"), error.detail ? `: ${error.detail}` : ""),
    error.action ? el("p", { className: "muted" }, error.action) : null,
    again ? el("button", { onclick: () => again() }, "Try again") : null);
  if (again && error.code === "unreachable") whenBack(again, () => box.isConnected);
  return box;
}

/** The first rows at once, the rest behind a button, so that long lists stay light. `show(row)` makes an element. */
export function firstOf(list, rows, show, { most = 100, what = "all" } = {}) {
  list.append(...rows.slice(0, most).map(show));
  if (rows.length <= most) return [list];
  const more = el("button", { onclick: () => { list.append(...rows.slice(most).map(show)); more.remove(); } }, `Show ${what} ${rows.length.toLocaleString("en")}`);
  return [list, more];
}
