// The library in two dimensions: find a track, hear it, see what lies around it and where a new song falls.

import { el, named, plural, problemBox } from "./dom.js";
import { getJson, query } from "./http.js";
import { heard, playButton, playTrack } from "./player.js";
import { MapView } from "./map_view.js";
import { palette } from "./colours.js";
import { searchBox } from "./search.js";

const NONE = "var(--unheard)";
const ASKED = "var(--ink)";
const N_AROUND = 8;
const N_AMID = 5;

/** Work on the page in `main`. */
export function mount(main) {
  const byId = (id) => main.querySelector(`#${id}`);
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
    view.hidden.clear();
    draw();
    byId("about").textContent = about();
    showAsked(Object.fromEntries(new URLSearchParams(location.search)));
  }

  function draw() {
    const colours = palette(map.playlists.map((playlist) => playlist.id));
    const shown = [...map.playlists.map((playlist) => ({ ...playlist, colour: colours.get(playlist.id) })),
      { id: null, name: "in no playlist", colour: NONE }, { id: -1, name: "your song", colour: ASKED }];
    const kindOf = new Map(shown.map(({ id }, kind) => [id, kind]));
    const kinds = map.playlist_ids.map((id, row) => (map.ids[row] === null ? kindOf.get(-1) : kindOf.get(id) ?? kindOf.get(null)));
    const used = new Set(kinds);
    view.show({ x: map.x, y: map.y, kinds, colours: shown.map(({ colour }) => colour) });
    byId("legend").replaceChildren(...shown.map(({ name, colour }, kind) => (used.has(kind) ? toggle(name, colour, kind) : "")));
  }

  function about() {
    const how = map.method === "umap" ? "drawn by UMAP: how far apart groups lie means little" : "drawn by two principal components; the next training draws it better";
    return `${plural(map.ids.length, "track")}. Those that sound alike lie beside each other (${how}).`;
  }

  function toggle(name, colour, kind) {
    const button = el("button", { className: "plain chip", "aria-pressed": String(!view.hidden.has(kind)), onclick: () => {
      const isShown = view.hidden.delete(kind);
      if (!isShown) view.hidden.add(kind);
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
    tip.textContent = `${named(trackAt(row))} (${nameOf(row)})`;
    const room = byId("frame").clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(x + 14, room))}px`;
    tip.style.top = `${y + 14}px`;
  }

  function choose(row, { move = true, play = false } = {}) {
    view.mark(row, { move });
    const track = trackAt(row);
    if (play && track.id !== null) playTrack(heard(track));
    byId("chosen").replaceChildren(
      el("h2", {}, named(track)),
      track.id === null ? el("p", {}, "It stands amid the tracks that it sounds most like.") : el("p", { className: "row" }, playButton(track), el("span", {}, `in ${nameOf(row)}.`), el("a", { href: `/app/ask?track=${track.id}` }, "Where does it fit?")),
      el("h3", {}, "Around it"),
      el("ul", { className: "near" }, around(row).map((other) => el("li", {}, playButton(trackAt(other)),
        el("button", { className: "plain", onclick: () => choose(other) }, named(trackAt(other))), el("span", { className: "muted small" }, nameOf(other))))));
  }

  function around(row) {
    const distance = map.ids.map((_, other) => (map.x[other] - map.x[row]) ** 2 + (map.y[other] - map.y[row]) ** 2);
    return [...distance.keys()].filter((other) => other !== row && map.ids[other] !== null).sort((a, b) => distance[a] - distance[b]).slice(0, N_AROUND);
  }

  /** A track of the map is marked; any other stands amid its nearest, as the answer about it says. */
  async function showAsked({ track, near, artist = "", title = "your song" }) {
    if (near) return addPoint({ id: null, artist, title }, near.split(",").map(Number));
    if (!track) return undefined;
    if (rowOf.has(Number(track))) return choose(rowOf.get(Number(track)));
    try {
      const answer = await getJson(`/recommend${query({ track, neighbours: 10, segments: false })}`);
      if (rowOf.has(answer.track.id)) return choose(rowOf.get(answer.track.id));
      return addPoint({ ...answer.track, id: null }, answer.similar.map((row) => row.track.id));
    } catch (error) {
      byId("chosen").replaceChildren(problemBox(error));
    }
    return undefined;
  }

  function addPoint(track, nearest) {
    const rows = nearest.filter((id) => rowOf.has(id)).slice(0, N_AMID).map((id) => rowOf.get(id));
    if (!rows.length) {
      byId("chosen").replaceChildren(problemBox({ title: "Nothing on the map is near it" }));
      return;
    }
    const mean = (column) => rows.reduce((sum, row) => sum + column[row], 0) / rows.length;
    for (const [column, value] of [["x", mean(map.x)], ["y", mean(map.y)], ["ids", null], ["playlist_ids", null], ["titles", track.title], ["artists", track.artist]]) map[column].push(value);
    draw();
    choose(map.ids.length - 1);
  }

  searchBox(byId("search"), { onTrack: ({ id }) => showAsked({ track: id }), onText: (track) => showAsked({ track }) });
  byId("group")?.addEventListener("change", load);
  byId("in").addEventListener("click", () => view.zoomBy(1.5));
  byId("out").addEventListener("click", () => view.zoomBy(1 / 1.5));
  byId("all").addEventListener("click", () => view.moveTo(0, 0, 1));
  load();
}
