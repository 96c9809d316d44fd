// The library in two dimensions: find a track, hear it, see what lies around it and where a new song falls.

import { byId, el, plural, problemBox } from "./dom.js";
import { getJson, query } from "./http.js";
import { heard, playButton, playTrack } from "./player.js";
import { MapView } from "./map_view.js";
import { palette } from "./colours.js";
import { searchBox } from "./search.js";

const NONE = "var(--unheard)";
const N_AROUND = 8;
const tip = byId("tip");
let map = null;
let rowOf = new Map();

const view = new MapView(byId("frame"), byId("canvas"), { onHover: hover, onChoose: (row) => choose(row, { move: false, play: true }) });

const trackAt = (row) => ({ id: map.ids[row], title: map.titles[row], artist: map.artists[row] });
const nameOf = (row) => map.playlists.find((playlist) => playlist.id === map.playlist_ids[row])?.name ?? "no playlist";

async function load() {
  try {
    map = await getJson(`/map${query({ group: byId("group")?.value })}`);
  } catch (error) {
    byId("problem").replaceChildren(problemBox(error, { again: load }));
    return;
  }
  byId("problem").replaceChildren();
  rowOf = new Map(map.ids.map((id, row) => [id, row]));
  const colours = palette(map.playlists.map((playlist) => playlist.id));
  view.hidden.clear();
  view.show({ x: map.x, y: map.y, colours: map.playlist_ids.map((id) => colours.get(id) ?? NONE) });
  byId("about").textContent = about();
  byId("legend").replaceChildren(...map.playlists.map((playlist) => toggle(playlist.name, colours.get(playlist.id))),
    map.playlist_ids.includes(null) ? toggle("in no playlist", NONE) : "");
  const asked = new URLSearchParams(location.search).get("track");
  if (asked) showAsked(asked);
}

function about() {
  const how = map.method === "umap" ? "how far apart groups lie means little" : "drawn by its two main directions; a training draws it better";
  return `${plural(map.ids.length, "track")}; those that sound alike lie beside each other (${map.method.toUpperCase()}: ${how}).`;
}

function toggle(name, colour) {
  const button = el("button", { className: "plain chip", "aria-pressed": "true", onclick: () => {
    const isShown = view.hidden.delete(colour);
    if (!isShown) view.hidden.add(colour);
    button.setAttribute("aria-pressed", String(isShown));
    view.draw();
  } }, name);
  button.style.setProperty("--chip", colour);
  return button;
}

function hover(row, x, y) {
  tip.hidden = row === null;
  byId("frame").classList.toggle("pointing", row !== null);
  if (row === null) return;
  const track = trackAt(row);
  tip.textContent = `${track.artist} – ${track.title} (${nameOf(row)})`;
  const room = byId("frame").clientWidth - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(x + 14, room))}px`;
  tip.style.top = `${y + 14}px`;
}

function choose(row, { move = true, play = false } = {}) {
  view.mark(row, { move });
  const track = trackAt(row);
  if (play) playTrack(heard(track));
  byId("chosen").replaceChildren(
    el("h2", {}, `${track.artist} – ${track.title}`),
    el("p", {}, playButton(track), ` in ${nameOf(row)}. `, el("a", { href: `/?track=${track.id}` }, "Where does it fit?")),
    el("h3", {}, "Around it"),
    el("ul", { className: "near" }, around(row).map((other) => el("li", {}, playButton(trackAt(other)),
      el("button", { className: "plain", onclick: () => choose(other) }, `${map.artists[other]} – ${map.titles[other]}`), el("span", { className: "muted small" }, nameOf(other))))));
}

function around(row) {
  const distance = map.ids.map((_, other) => (map.x[other] - map.x[row]) ** 2 + (map.y[other] - map.y[row]) ** 2);
  return [...distance.keys()].filter((other) => other !== row).sort((a, b) => distance[a] - distance[b]).slice(0, N_AROUND);
}

/** A track of the map is marked; any other stands amid its nearest, as the answer about it says. */
async function showAsked(reference) {
  if (rowOf.has(Number(reference))) return choose(rowOf.get(Number(reference)));
  try {
    const answer = await getJson(`/recommend${query({ track: reference, neighbours: 10, segments: false })}`);
    if (rowOf.has(answer.track.id)) return choose(rowOf.get(answer.track.id));
    const near = answer.similar.filter(({ track }) => rowOf.has(track.id)).slice(0, 5);
    if (!near.length) throw Object.assign(new Error(), { title: "Nothing of the map is near it" });
    const mean = (column) => near.reduce((sum, { track }) => sum + column[rowOf.get(track.id)], 0) / near.length;
    addPoint(answer.track, mean(map.x), mean(map.y));
  } catch (error) {
    byId("chosen").replaceChildren(problemBox(error));
  }
  return undefined;
}

function addPoint(track, x, y) {
  map.ids.push(track.id ?? -1);
  map.x.push(x);
  map.y.push(y);
  map.playlist_ids.push(null);
  map.titles.push(track.title);
  map.artists.push(track.artist);
  view.show({ x: map.x, y: map.y, colours: [...view.points.colours, NONE] });
  choose(map.ids.length - 1);
}

searchBox(byId("search"), { onTrack: (track) => showAsked(track.id), onText: showAsked });
byId("group")?.addEventListener("change", load);
byId("in").addEventListener("click", () => view.zoomBy(1.5));
byId("out").addEventListener("click", () => view.zoomBy(1 / 1.5));
byId("all").addEventListener("click", () => view.moveTo(0, 0, 1));
load();
