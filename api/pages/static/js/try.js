// Try a song: drop a file, type a path or an identifier, or search the catalogue; then say whether it is right.

import { filePeaks } from "./waveform.js";
import { trackPeaks } from "./peaks.js";
import { el, named, problemBox } from "./dom.js";
import { getJson, query, upload } from "./http.js";
import { heard, setAsked } from "./player.js";
import { feedbackBox } from "./feedback.js";
import { searchBox } from "./search.js";
import { showAnswer } from "./answer.js";

const REFERENCE = /^\d+$|^(isrc|mbid|spotify):|:\/\/|[\\/]/i;
const N_FOUND = 12;
const N_NEAREST = 5;

/** Work on the page in `main` until `signal` says that it is left. */
export function mount(main, { signal: left }) {
  const byId = (id) => main.querySelector(`#${id}`);
  const answer = byId("answer");
  const drop = byId("drop");
  const group = byId("group");
  let running = new AbortController();
  let dropped = null; // the file that was asked about last, for another group to answer

  async function ask(title, send) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const bar = el("progress", { "aria-label": "Sending the file" });
    answer.replaceChildren(el("div", { role: "status" }, el("p", {}, `Listening to ${title} …`), bar));
    const onProgress = (share) => { if (share < 1) bar.value = share; else bar.removeAttribute("value"); };
    try {
      const found = await send({ signal, onProgress });
      if (!signal.aborted) found();
    } catch (error) {
      if (error.name === "AbortError") return;
      answer.replaceChildren(problemBox(error, { again: () => ask(title, send) }));
    }
  }

  const options = () => query({ group: group?.value, neighbours: N_NEAREST });

  function askTrack(reference, title) {
    const asked = query({ track: reference, group: group?.value });
    history.replaceState(history.state, "", asked);
    ask(title ?? reference, async ({ signal }) => {
      const found = await getJson(`/recommend${query({ track: reference, group: group?.value, neighbours: N_NEAREST })}`, { signal });
      return () => showTrack(found);
    });
  }

  function showTrack(found) {
    const { id } = found.track;
    const source = id === null ? null : heard(found.track);
    setAsked(source);
    showAnswer(answer, found, {
      source,
      peaks: id === null ? Promise.reject(new Error("not in the catalogue")) : trackPeaks(id),
      feedback: id === null ? "" : feedbackBox(found, { track: async () => id, again: askTrack }),
    });
  }

  /** What was typed is a reference, or words to look for. */
  function askText(text) {
    if (REFERENCE.test(text)) return askTrack(text);
    return ask(text, async ({ signal }) => {
      const { tracks } = await getJson(`/tracks${query({ query: text.slice(0, 200), limit: N_FOUND })}`, { signal });
      return () => (tracks.length === 1 ? askTrack(tracks[0].id, named(tracks[0])) : choose(text, tracks));
    });
  }

  function choose(text, tracks) {
    const nothing = { title: "Nothing in the library is called that", detail: text, action: "Search for a title or an artist, paste a path or an identifier, or drop the file." };
    answer.replaceChildren(...(tracks.length ? [el("h2", {}, "Which one?"), el("ul", { className: "near" },
      tracks.map((track) => el("li", {}, el("button", { onclick: () => askTrack(track.id, named(track)) }, named(track)))))] : [problemBox(nothing)]));
  }

  function askFile(file) {
    if (file.size > Number(drop.dataset.maxMb) * 1e6) {
      const title = `${file.name} is larger than ${drop.dataset.maxMb} MB`;
      answer.replaceChildren(problemBox({ title, action: "Choose a smaller file, or scan its folder on the server." }));
      return;
    }
    history.replaceState(history.state, "", location.pathname);
    dropped = file;
    ask(file.name, async ({ signal, onProgress }) => {
      const found = await send(`/recommend${options()}`, file, { signal, onProgress });
      return () => showFile(found, file);
    });
  }

  function send(url, file, how) {
    const form = new FormData();
    form.append("file", file);
    return upload(url, form, how);
  }

  function showFile(found, file) {
    const source = { src: URL.createObjectURL(file), title: named(found.track) };
    let kept = null; // what is said of a file keeps it, once
    const track = () => { kept ??= send("/uploads", file).then(({ id }) => id).catch((error) => { kept = null; throw error; }); return kept; };
    setAsked(source);
    showAnswer(answer, found, { source, peaks: filePeaks(file), feedback: feedbackBox(found, { track, again: askTrack }) });
  }

  function listen() {
    const picker = byId("file");
    picker.addEventListener("change", () => { if (picker.files.length) askFile(picker.files[0]); picker.value = ""; });
    for (const name of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(name, (event) => {
        event.preventDefault(); // else the browser would leave the page for the file
        drop.classList.toggle("over", name === "dragover");
      }, { signal: left });
    }
    document.addEventListener("drop", (event) => {
      const [file] = event.dataTransfer.files;
      if (file) askFile(file);
    }, { signal: left });
    searchBox(byId("search"), { onTrack: (track) => askTrack(track.id, named(track)), onText: askText });
    group?.addEventListener("change", () => {
      const asked = new URLSearchParams(location.search).get("track");
      if (asked) askTrack(asked);
      else if (dropped) askFile(dropped);
    });
    const parameters = new URLSearchParams(location.search);
    if (group && [...group.options].some((option) => option.value === parameters.get("group"))) group.value = parameters.get("group");
    if (parameters.get("track")) askTrack(parameters.get("track"));
  }

  if (drop) listen();
}
