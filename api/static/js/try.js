// Try a song: drop a file, type a path or an identifier, or search the catalogue; then say whether it is right.

import { filePeaks, trackPeaks } from "./waveform.js";
import { byId, el, percent, problemBox } from "./dom.js";
import { getJson, query, upload } from "./http.js";
import { heard, setAsked } from "./player.js";
import { feedbackBox, keepBox } from "./feedback.js";
import { searchBox } from "./search.js";
import { showAnswer } from "./answer.js";

const answer = byId("answer");
const drop = byId("drop");
const group = byId("group");
let running = new AbortController();

async function ask(title, send) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const bar = el("progress", { "aria-label": "Sending the file" });
  answer.replaceChildren(el("div", { role: "status" }, el("p", {}, `Listening to ${title} …`), bar));
  const onProgress = (share) => { bar.value = share; };
  try {
    const found = await send({ signal, onProgress });
    if (!signal.aborted) found();
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.replaceChildren(problemBox(error, { again: () => ask(title, send) }));
  }
}

const options = () => query({ group: group?.value });

function askTrack(reference, title) {
  const asked = query({ track: reference, group: group?.value });
  history.replaceState(null, "", asked);
  ask(title ?? reference, async ({ signal }) => {
    const found = await getJson(`/recommend${asked}`, { signal });
    return () => showTrack(found);
  });
}

function showTrack(found) {
  const known = found.track.id !== null;
  const source = known ? heard(found.track) : null;
  setAsked(source);
  showAnswer(answer, found, {
    source,
    peaks: known ? trackPeaks(found.track.id) : Promise.reject(new Error("not in the catalogue")),
    after: known ? [feedbackBox(found)] : [],
  });
}

function askFile(file) {
  const limit = Number(drop.dataset.maxMb) * 1e6;
  if (file.size > limit) {
    const title = `${file.name} is larger than ${drop.dataset.maxMb} MB`;
    answer.replaceChildren(problemBox({ title, action: "Send a smaller file, or scan its folder on the server." }));
    return;
  }
  history.replaceState(null, "", location.pathname);
  ask(file.name, async ({ signal, onProgress }) => {
    const form = new FormData();
    form.append("file", file);
    const found = await upload(`/recommend${options()}`, form, { signal, onProgress });
    return () => showFile(found, file);
  });
}

function showFile(found, file) {
  const source = { src: URL.createObjectURL(file), title: `${found.track.artist} – ${found.track.title}` };
  setAsked(source);
  const keep = keepBox(file, options(), (kept) => showTrack(kept));
  showAnswer(answer, found, { source, peaks: filePeaks(file), after: [keep] });
}

function listen() {
  const picker = byId("file");
  picker.addEventListener("change", () => picker.files.length && askFile(picker.files[0]));
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault(); // else the browser would leave the page for the file
      drop.classList.toggle("over", name === "dragover");
    });
  }
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file) askFile(file);
  });
  searchBox(byId("search"), { onTrack: (track) => askTrack(track.id, `${track.artist} – ${track.title}`), onText: askTrack });
  group?.addEventListener("change", () => {
    const asked = new URLSearchParams(location.search).get("track");
    if (asked) askTrack(asked);
  });
  const asked = new URLSearchParams(location.search).get("track");
  if (asked) askTrack(asked);
}

if (drop) listen();
