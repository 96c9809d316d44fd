// Sorting new songs: what is dropped appears as it is heard, and is accepted, put elsewhere, or said to fit none.

import { el, moment, plural, problemBox } from "./dom.js";
import { choosePlaylist } from "./sort_choose.js";
import { current, listenForKeys, mean } from "./sort_keys.js";
import { filesOf } from "./dropped.js";
import { getJson, sendJson } from "./http.js";
import { go } from "./shell.js";
import { heard, onTurned, toggle } from "./player.js";
import { isOpen, isWaiting, songRow } from "./sort_row.js";
import { palette } from "./colours.js";
import { isSending, send, showSending } from "./sort_sending.js";

const LOOK_MS = 1000;
const IDLE_MS = 5000;
const N_KEYS = 9;

/** Work on the page in `main` until `signal` says that it is left. */
export function mount(main, { signal }) {
  const byId = (id) => main.querySelector(`#${id}`);
  const list = byId("rows");
  const said = byId("said");
  const shown = new Map(); // item -> {row, element}
  let batch = null; // the feed that is sorted, as the server described it last
  let colours = new Map();
  let undone = []; // what can be taken back: lists of items, the last decided last
  let opening = null;
  let line = Promise.resolve(); // decisions one after the other, as they were made

  const elements = () => [...list.children];
  const rowOf = (element) => shown.get(Number(element?.dataset.item))?.row;
  const colour = (id) => colours.get(id) ?? "var(--muted)";
  const waitingRows = () => elements().map(rowOf).filter(isWaiting);
  const clearRows = () => waitingRows().filter((row) => row.sureness === "clear");

  const acts = {
    accept: (row, id) => decide([{ row, kind: "accepted", playlist_id: id }]),
    none: (row) => decide([{ row, kind: "none", ruled_out: row.places.filter((place) => place.fits).map((place) => place.id) }]),
    undo: (row) => decide([{ row, kind: "open" }]),
    play: (row) => toggle(sourceOf(row), { among: playable() }),
    taste,
    choose,
  };

  const sourceOf = (row) => heard({ ...row, id: row.track });
  const playable = () => elements().map(rowOf).filter((row) => row.track !== null).map(sourceOf);

  /** Show the batch that the address names, else the newest with songs that wait. */
  async function start() {
    try {
      const { batches } = await getJson("/sort");
      const asked = Number(new URLSearchParams(location.search).get("batch"));
      const open = batches.filter((one) => one.n_waiting);
      const chosen = batches.find((one) => one.id === asked) ?? open.find((one) => one.kind === "drop") ?? open[0];
      offerBatches(batches, chosen);
      if (chosen) await look(chosen.id);
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error, { again: start }));
    }
  }

  function offerBatches(batches, chosen) {
    const others = batches.filter((one) => one.n_waiting || one.id === chosen?.id);
    byId("which").hidden = others.length < 2;
    byId("choice").replaceChildren(...others.map((one) => el("option", { value: one.id, selected: one.id === chosen?.id }, `${one.name} (${one.n_waiting})`)));
  }

  async function look(id) {
    try {
      const found = await getJson(`/sort/${id}`);
      if (signal.aborted) return;
      if (batch && batch.feed.id !== id) { shown.clear(); list.replaceChildren(); undone = []; }
      const isTaught = batch !== null && batch.feed.id === id && batch.model !== found.model;
      batch = found;
      const ids = found.playlists.map((playlist) => playlist.id);
      if (String(ids) !== String([...colours.keys()])) { colours = palette(ids); shown.clear(); list.replaceChildren(); }
      history.replaceState(history.state, "", `/?batch=${id}`);
      const n_moved = take(found.rows);
      if (isTaught && n_moved) said.textContent = `Learnt: ${plural(n_moved, "song")} placed anew.`;
      keys();
      tell();
    } catch (error) {
      if (error.status === 404) { batch = null; shown.clear(); list.replaceChildren(); history.replaceState(history.state, "", "/"); }
      byId("problem").replaceChildren(problemBox(error, { again: () => { byId("problem").replaceChildren(); return error.status === 404 ? start() : look(id); } }));
    }
  }

  /** Take over rows; how many of the waiting ones go elsewhere now. */
  function take(rows) {
    let n_moved = 0;
    for (const row of rows) {
      const before = shown.get(row.item);
      if (before && JSON.stringify(before.row) === JSON.stringify(row)) continue;
      if (before && isWaiting(row) && isWaiting(before.row) && before.row.places[0]?.id !== row.places[0]?.id) n_moved += 1;
      put(row, before?.element);
    }
    return n_moved;
  }

  function put(row, before) {
    const element = songRow(row, acts, colour);
    shown.set(row.item, { row, element });
    if (!before) return list.append(element);
    const hadFocus = before.contains(document.activeElement);
    if (before.getAttribute("aria-current")) element.setAttribute("aria-current", "true");
    before.replaceWith(element);
    if (hadFocus) element.focus({ preventScroll: true });
    return undefined;
  }

  /** What the page as a whole says of the batch. */
  function tell() {
    const rows = [...shown.values()].map(({ row }) => row);
    const waiting = rows.filter(isWaiting);
    const clear = waiting.filter((row) => row.sureness === "clear");
    const count = (sureness) => waiting.filter((row) => row.sureness === sureness).length;
    byId("batch").hidden = !rows.length;
    byId("drop").classList.toggle("filled", rows.length > 0);
    byId("title").textContent = waiting.length ? `Sort ${plural(waiting.length, "new song")}` : rows.length ? "All sorted" : "Sort new songs";
    const parts = [[clear.length, "clear"], [count("likely"), "likely"], [count("close_call"), count("close_call") === 1 ? "close call" : "close calls"], [count("none"), "fit none of yours"]];
    const sorted = rows.filter((row) => row.track !== null && !isWaiting(row)).length;
    byId("counts").textContent = rows.length ? [`from “${batch?.feed.name ?? ""}”`, ...parts.filter(([n]) => n).map(([n, word]) => `${n} ${word}`), sorted ? `${sorted} sorted` : ""].filter(Boolean).join(" · ") : "";
    byId("add-clear").hidden = !clear.length;
    byId("add-clear").textContent = clear.length === 1 ? "Add the clear one" : `Add the ${clear.length} clear ones`;
    byId("promise").hidden = !clear.length && !batch?.why_unplaced;
    byId("promise").textContent = batch?.why_unplaced || (clear.length ? batch?.promise ?? "" : "");
    byId("play-through").hidden = !rows.some((row) => row.track !== null);
    byId("finish").hidden = !rows.length || waiting.length > 0;
    const badge = document.getElementById("waiting");
    if (badge && batch?.feed.kind === "drop") { badge.hidden = !waiting.length; badge.firstElementChild.textContent = String(waiting.length); }
  }

  function keys() {
    byId("keys").replaceChildren(...batch.playlists.slice(0, N_KEYS).map((playlist, n) => {
      const made = el("span", { className: "key" }, el("kbd", {}, String(n + 1)), ` ${playlist.name}`);
      made.style.setProperty("--chip", colour(playlist.id));
      return made;
    }));
  }

  /** Send what was decided, in order; the next song is meant at once. */
  function decide(wishes) {
    const here = current(elements());
    if (wishes.length === 1 && here && rowOf(here)?.item === wishes[0].row.item && wishes[0].kind !== "open") goOn(here);
    line = line.then(() => carryOut(wishes)).catch((error) => { byId("problem").replaceChildren(problemBox(error, { again: () => { byId("problem").replaceChildren(); decide(wishes); } })); });
    return line;
  }

  async function carryOut(wishes) {
    const asked = wishes.map(({ row, kind, playlist_id, ruled_out }) => ({ item: row.item, kind, playlist_id, ruled_out, stamp: shown.get(row.item)?.row.decision?.stamp ?? null }));
    const { rows, refused, job } = await sendJson("PUT", `/sort/${batch.feed.id}/decisions`, { decisions: asked });
    take(rows);
    const items = asked.map(({ item }) => item).filter((item) => !refused.some((one) => one.item === item));
    if (wishes[0].kind !== "open" && items.length) undone.push(items);
    said.textContent = refused.length ? refused.map(({ item, sentence }) => `${shown.get(item)?.row.title ?? "A song"}: ${sentence}.`).join(" ") : summary(wishes, job);
    if (job) batch.learning_job_id = job.id;
    tell();
  }

  function summary(wishes, job) {
    const [{ row, kind, playlist_id: id }] = wishes;
    const about = wishes.length === 1 ? row.title : plural(wishes.length, "song");
    const name = batch.playlists.find((playlist) => playlist.id === id)?.name;
    const what = kind === "open" ? `Taken back: ${about}.` : kind === "none" ? `${about}: none of yours.` : wishes.length === 1 ? `${about} is in ${name ?? "the playlist"}.` : `${about} added.`;
    return job ? `${what} It is being learnt.` : what;
  }

  /** Mean the next song that waits: below, else from the top. */
  function goOn(element) {
    const all = elements();
    const place = all.indexOf(element);
    const next = [...all.slice(place + 1), ...all.slice(0, place)].find((other) => isWaiting(rowOf(other)));
    mean(all, next ?? element);
  }

  async function choose(row) {
    const id = await choosePlaylist({ title: `Where does “${row.title}” belong?`, playlists: batch.playlists, group: batch.group, colour });
    byId(`song-${row.item}`)?.focus();
    if (id === null) return;
    if (!batch.playlists.some((playlist) => playlist.id === id)) await look(batch.feed.id);
    await acts.accept(shown.get(row.item).row, id);
  }

  async function taste(row, verdict) {
    const place = `/tracks/${row.track}/feedback`;
    try {
      if (row.taste === verdict) {
        const { feedback } = await getJson(place);
        const given = feedback.find((one) => one.group === "taste" && one.verdict === "right");
        if (given) await sendJson("DELETE", `${place}?playlist_id=${given.playlist.id}`);
      } else await sendJson("PUT", place, { verdict });
      put({ ...shown.get(row.item).row, taste: row.taste === verdict ? "" : verdict }, byId(`song-${row.item}`));
      said.textContent = row.taste === verdict ? "Taken back." : `${row.title} is ${verdict}.`;
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error));
    }
  }

  function undo() {
    const items = undone.pop();
    if (items) decide(items.map((item) => ({ row: shown.get(item).row, kind: "open" })));
    return Boolean(items);
  }

  /** What a key does to the row that is meant; whether it meant anything. */
  function act(key, element) {
    if (key === "z") return undo();
    const row = rowOf(element);
    if (!row || row.track === null) return false;
    if (key === " ") acts.play(row);
    else if (key === "l" || key === "d") taste(row, key === "l" ? "liked" : "disliked");
    else if (!isOpen(row)) return false;
    else if (key === "Enter") accept(row);
    else if (key === "n") acts.none(row);
    else if (key === "p") choose(row);
    else if (/^[1-9]$/.test(key) && batch.playlists[Number(key) - 1]) acts.accept(row, batch.playlists[Number(key) - 1].id);
    else return false;
    return true;
  }

  /** Do as proposed: the first playlist, or none where none is named. */
  function accept(row) {
    if (row.sureness === "none") acts.none(row);
    else if (row.places.length) acts.accept(row, row.places[0].id);
  }

  /** The batch that files go to: the shown one where it takes files, else a new one, made once. */
  async function place(file) {
    if (batch?.feed.kind === "drop" && (waitingRows().length || opening)) return batch.feed.id;
    opening ??= sendJson("POST", "/sort", { name: (file.folder || file.webkitRelativePath?.split("/")[0] || moment(Date.now())).slice(0, 200) })
      .then(async (feed) => { await look(feed.id); return feed.id; });
    try {
      return await opening;
    } catch (error) {
      opening = null;
      throw error;
    }
  }

  function arrive(row) {
    const isFirst = !list.children.length;
    take([row]);
    if (isFirst) mean(elements(), list.firstElementChild, { focus: [document.body, main].includes(document.activeElement) });
    tell();
  }

  const drop = (files) => files.length && send(files, { place, onRow: arrive, most: Number(byId("drop").dataset.maxMb) });

  /** What others do, and what is learnt, appears by itself. */
  async function keepLooking() {
    while (!signal.aborted) {
      const isBusy = batch?.learning_job_id || batch?.job_id || isSending();
      await new Promise((resolve) => { setTimeout(resolve, isBusy ? LOOK_MS : IDLE_MS); });
      if (signal.aborted || document.visibilityState !== "visible" || byId("problem").children.length) continue;
      await line.then(() => (batch ? look(batch.feed.id) : start()));
    }
  }

  async function forget() {
    await sendJson("DELETE", `/feeds/${batch.feed.id}`).catch(() => {});
    go("/");
  }

  function listen() {
    for (const id of ["files", "folder-files"]) byId(id).addEventListener("change", (event) => { drop([...event.target.files]); event.target.value = ""; });
    for (const name of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(name, (event) => {
        event.preventDefault(); // else the browser would leave the page for the file
        byId("drop").classList.toggle("over", name === "dragover");
      }, { signal });
    }
    document.addEventListener("drop", async (event) => drop(await filesOf(event.dataTransfer)), { signal });
    byId("add-clear").addEventListener("click", () => decide(clearRows().map((row) => ({ row, kind: "accepted", playlist_id: row.places[0].id }))));
    byId("play-through").addEventListener("click", () => { const [first] = [...waitingRows(), ...elements().map(rowOf).filter((row) => row.track !== null)]; toggle(sourceOf(first), { among: playable() }); });
    byId("choice").addEventListener("change", (event) => look(Number(event.target.value)));
    byId("forget").addEventListener("click", forget);
    list.addEventListener("focusin", (event) => mean(elements(), event.target.closest("li"), { focus: false }));
    listenForKeys({ rows: elements, act, signal });
    onTurned((src, isPlaying) => {
      for (const { row, element } of shown.values()) element.classList.toggle("heard", isPlaying && row.track !== null && src === sourceOf(row).src);
    });
  }

  listen();
  showSending();
  start().then(keepLooking);
}
