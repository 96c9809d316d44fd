// The playlists: how large, how well told apart; adding one from files, a folder or a path.

import { byId, el, percent, problemBox } from "./dom.js";
import { getJson, sendJson, upload } from "./http.js";
import { figuresOf, servedCard } from "./scorecard.js";
import { filesOf } from "./dropped.js";
import { followJob } from "./job_progress.js";

const rows = byId("rows");
const form = byId("add");
const status = byId("adding");
const AUDIO = /\.(mp3|mp2|flac|ogg|oga|opus|wav|aiff?|aifc|caf|m4a|m4b|mp4|aac|wma|wv|ape)$/i;
let chosen = [];

async function list() {
  try {
    const [{ playlists }, card] = await Promise.all([getJson("/playlists"), servedCard().catch(() => ({ groups: [] }))]);
    byId("empty").hidden = playlists.length > 0;
    byId("table").hidden = playlists.length === 0;
    rows.replaceChildren(...playlists.map((playlist) => row(playlist, figuresOf(card, playlist))));
    byId("groups").replaceChildren(...[...new Set(playlists.map((p) => p.group))].map((name) => el("option", { value: name })));
  } catch (error) {
    byId("problem").replaceChildren(problemBox(error, { again: list }));
  }
}

function row(playlist, figures) {
  const share = (value) => el("td", { className: "number" }, value === undefined || value === null ? "–" : percent(value));
  return el("tr", {},
    el("th", { scope: "row" }, el("a", { href: `/app/playlists/${playlist.id}` }, playlist.name)),
    el("td", {}, playlist.group),
    el("td", { className: "number" }, String(playlist.n_tracks)),
    el("td", { className: "number" }, figures ? String(figures.n_artists) : "–"),
    share(figures?.recall),
    share(figures?.precision),
    el("td", {}, figures?.warnings?.length ? el("details", {}, el("summary", {}, String(figures.warnings.length)),
      figures.warnings.map((warning) => el("p", { className: "small" }, warning))) : ""));
}

function choose(files) {
  chosen = files.filter((file) => AUDIO.test(file.name) || file.type.startsWith("audio/"));
  const lists = files.filter((file) => !chosen.includes(file) && /\.(m3u8?|pls|xspf|jspf|xml|csv|json|zip|txt)$/i.test(file.name));
  if (!chosen.length && lists.length) chosen = lists.slice(0, 1);
  byId("chosen").textContent = chosen.length ? `${chosen.length} of ${files.length} chosen files can be used.` : "None of these files is audio or a playlist.";
  const folder = chosen[0]?.webkitRelativePath?.split("/")[0] || chosen[0]?.folder;
  if (!form.name.value) form.name.value = folder ?? (chosen.length === 1 ? chosen[0].name.replace(/\.[^.]+$/, "") : "");
}

async function add(event) {
  event.preventDefault();
  const asked = { name: form.name.value.trim(), group: form.group.value.trim() || undefined };
  const button = form.querySelector("button.main");
  button.disabled = true;
  try {
    const job = await send(asked);
    if (job) {
      await followJob(status, job.id);
      form.reset();
      choose([]);
      byId("chosen").textContent = "";
    }
  } catch (error) {
    status.replaceChildren(...status.childNodes, problemBox(error));
  } finally {
    button.disabled = false;
    list();
  }
}

async function send(asked) {
  if (form.folder.value.trim()) return (await sendJson("POST", "/playlists", { ...asked, folder: form.folder.value.trim() })).job;
  if (!chosen.length) {
    status.replaceChildren(problemBox({ title: "There is nothing to make a playlist of", action: "Choose files, drop some, or name a folder of the server." }));
    return null;
  }
  if (chosen.every((file) => AUDIO.test(file.name) || file.type.startsWith("audio/"))) return sendAudio(asked);
  return sendList(asked, chosen[0]);
}

async function sendAudio(asked) {
  const tracks = [];
  const failed = el("ul", { className: "small" });
  const bar = el("progress", { max: chosen.length, value: 0, "aria-label": "Files sent" });
  const said = el("p", { role: "status" });
  status.replaceChildren(said, bar, failed);
  for (const [n, file] of chosen.entries()) {
    said.textContent = `Listening to ${n + 1} of ${chosen.length}: ${file.name}`;
    const data = new FormData();
    data.append("file", file);
    try {
      const track = await upload("/uploads", data, { onProgress: (share) => { bar.value = n + share; } });
      if (!tracks.includes(track.id)) tracks.push(track.id);
    } catch (error) {
      if (error.code === "unreachable") throw error;
      failed.append(el("li", {}, `${file.name}: ${error.detail || error.title}`));
    }
  }
  if (!tracks.length) throw Object.assign(new Error(), { title: "None of the files could be listened to" });
  return (await sendJson("POST", "/playlists", { ...asked, track_ids: tracks })).job;
}

async function sendList(asked, file) {
  const data = new FormData();
  data.append("file", file);
  Object.entries(asked).forEach(([name, value]) => value && data.append(name, value));
  const found = await upload("/playlists/import", data);
  const counts = Object.entries(found.counts).filter(([, n]) => n).map(([outcome, n]) => `${n} ${outcome}`).join(", ");
  byId("imported").replaceChildren(el("p", { className: "notice" }, `${found.playlist.name}: ${counts || "no rows"}. ${found.refusal} `,
    el("a", { href: `/app/playlists/${found.playlist.id}` }, "See what was matched")));
  return found.job;
}

for (const id of ["files", "folder-files"]) byId(id).addEventListener("change", (event) => choose([...event.target.files]));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
  });
}
document.addEventListener("drop", async (event) => choose(await filesOf(event.dataTransfer)));
form.addEventListener("submit", add);
list();
