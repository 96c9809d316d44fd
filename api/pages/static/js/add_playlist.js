// Adding a playlist: from audio files or a folder that was dropped, a playlist file, a folder of the server, a source.

import { el, percent, plural, problemBox } from "./dom.js";
import { askColumns } from "./columns.js";
import { getJson, query, sendJson, upload } from "./http.js";
import { filesOf } from "./dropped.js";
import { followJob } from "./job_progress.js";

const AUDIO = /\.(mp3|mp2|flac|ogg|oga|opus|wav|aiff?|aifc|caf|m4a|m4b|mp4|aac|wma|wv|ape|au)$/i;
const LIST = /\.(m3u8?|pls|xspf|jspf|xml|csv|tsv|json|zip|txt|nml|crate|wpl|zpl|asx|wax|vdjfolder)$|^database V2$/i;
const REMOTE = /^(subsonic|jellyfin|spotify|listenbrainz):|^https?:\/\//i;
const MANY_LOST = 0.25;
const OUTCOMES = { used: "found in the library", review: "waiting for you to look", unmatched: "not in the library", rejected: "rejected by you before", skipped: "no tracks" };

/** Make the form of the page work; `onChange` is called when there may be another playlist. */
export function listenForPlaylists(main, { signal, onChange: changed }) {
  const byId = (id) => main.querySelector(`#${id}`);

  const form = byId("add");
  const status = byId("adding");
  // Browsers say of M3U and PLS that they are audio: the name comes first.
  const isAudio = (file) => !LIST.test(file.name) && (AUDIO.test(file.name) || file.type.startsWith("audio/"));
  let chosen = [];
  let sent = new Map(); // file -> id of its track, so that what was sent is not sent again
  let begun = null; // the playlist that the files sent join, kept for another attempt
  let columns = ""; // what a table's columns were said to hold

  function listen() {
    for (const id of ["files", "folder-files"]) byId(id).addEventListener("change", (event) => choose([...event.target.files]));
    for (const name of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(name, (event) => {
        event.preventDefault();
        byId("drop").classList.toggle("over", name === "dragover");
      }, { signal });
    }
    document.addEventListener("drop", async (event) => choose(await filesOf(event.dataTransfer)), { signal });
    form.addEventListener("submit", (event) => { event.preventDefault(); add(); });
    if (form.dataset.spotify) form.source.addEventListener("focus", proposeSpotify, { once: true });
  }

  /** Propose the playlists that the visitor has at Spotify, if somebody is logged in there. */
  async function proposeSpotify() {
    try {
      if (!(await getJson("/spotify")).is_logged_in) return;
      const { playlists } = await getJson("/spotify/playlists");
      byId("sources").append(el("option", { value: "spotify:liked" }), ...playlists.map(({ source, name }) => el("option", { value: source, label: name })));
    } catch { /* a source can be typed all the same */ }
  }

  function choose(files) {
    const most = Number(byId("drop").dataset.maxMb);
    const fitting = files.filter((file) => file.size <= most * 1e6);
    chosen = fitting.filter(isAudio);
    const lists = fitting.filter((file) => !isAudio(file) && LIST.test(file.name));
    if (!chosen.length && lists.length) chosen = lists.slice(0, 1);
    sent = new Map();
    columns = "";
    byId("imported").querySelector("[role=group]")?.remove();
    const tooLarge = files.filter((file) => !fitting.includes(file)).map((file) => file.name);
    byId("chosen").replaceChildren(files.length ? `${chosen.length} of ${files.length} chosen files can be used.` : "",
      tooLarge.length ? ` Larger than ${most} MB: ${tooLarge.slice(0, 5).join(", ")}.` : "");
    const folder = chosen[0]?.webkitRelativePath?.split("/")[0] || chosen[0]?.folder;
    if (!form.name.value) form.name.value = folder ?? (chosen.length === 1 ? chosen[0].name.replace(/\.[^.]+$/, "") : "");
  }

  async function add(ifExists) {
    const button = form.querySelector("button.main");
    button.disabled = true;
    try {
      const job = await send({ name: form.name.value.trim(), group: form.group.value.trim() || undefined, if_exists: ifExists });
      if (job === undefined) return;
      const ended = job && await followJob(status, job.id);
      if (ended?.state === "succeeded") status.append(el("p", {}, "It counts from now on: ", el("a", { href: "/" }, "sort some songs"), " or ", el("a", { href: "/app/ask" }, "ask about one"), "."));
      begun = null;
      form.reset();
      choose([]);
    } catch (error) {
      const said = [...status.childNodes].filter((node) => !node.classList?.contains("problem"));
      const isTaken = error.code === "playlist_exists";
      status.replaceChildren(...said, problemBox(error, isTaken ? {} : { again: () => add(ifExists) }), isTaken ? choices() : "");
    } finally {
      button.disabled = false;
      changed();
    }
  }

  /** What may be done where the name is taken; another name is typed above. */
  const choices = () => el("div", { className: "row" },
    el("button", { onclick: () => add("add") }, "Add to it"),
    el("button", { onclick: () => add("replace") }, "Replace its songs"));

  /** The job that learns the playlist; null when nothing has to be learnt, undefined when nothing was sent. */
  async function send(asked) {
    const source = form.source.value.trim();
    if (source) return (await sendJson("POST", "/playlists", { ...asked, [REMOTE.test(source) ? "source" : "folder"]: source })).job;
    if (!chosen.length) {
      status.replaceChildren(problemBox({ title: "There is nothing to make a playlist of", action: "Choose files, drop some, or name a folder or a source." }));
      return undefined;
    }
    return chosen.every(isAudio) ? sendAudio(asked) : sendList(asked, chosen[0]);
  }

  async function sendAudio(asked) {
    const failed = el("ul", { className: "small" });
    const bar = el("progress", { max: chosen.length, value: 0, "aria-label": "Files sent" });
    const said = el("p", { role: "status" });
    // The playlist is there first, so that every song is in it as soon as it was sent; one that is replaced keeps
    // what it holds until all of the others are there.
    const isReplaced = asked.if_exists === "replace";
    const playlist = isReplaced ? null : await begin(asked);
    status.replaceChildren(said, bar, failed);
    window.addEventListener("beforeunload", warn);
    try {
      for (const [n, file] of chosen.entries()) {
        if (sent.has(file)) continue;
        said.textContent = `Sending ${n + 1} of ${chosen.length}: ${file.name}. ${playlist ? "Those that were sent are in the playlist; the rest needs this page." : ""}`;
        const data = new FormData();
        data.append("file", file);
        if (playlist) data.append("playlist_id", playlist.id);
        try {
          sent.set(file, (await upload("/uploads", data, { onProgress: (share) => { bar.value = n + share; } })).id);
        } catch (error) {
          if (["unreachable", "no_model"].includes(error.code)) throw error;
          failed.append(el("li", {}, `${file.name}: ${error.detail || error.title}`));
        }
      }
    } finally {
      window.removeEventListener("beforeunload", warn);
    }
    if (!sent.size) throw Object.assign(new Error(), { title: "None of the files could be listened to" });
    return (await sendJson("POST", "/playlists", { ...asked, if_exists: isReplaced ? "replace" : "add", track_ids: [...new Set(sent.values())] })).job;
  }

  /** The empty playlist that files join one by one, or the one that is added to. */
  async function begin(asked) {
    const group = asked.group ?? "default";
    if (begun?.name === asked.name && begun.group === group) return begun;
    await sendJson("POST", "/playlists", { ...asked, track_ids: [] });
    const { playlists } = await getJson(`/playlists${query({ group })}`);
    begun = playlists.find((playlist) => playlist.name === asked.name);
    return begun;
  }

  const warn = (event) => event.preventDefault(); // the browser asks whether to leave

  async function sendList(asked, file) {
    const data = new FormData();
    data.append("file", file);
    Object.entries({ ...asked, columns }).forEach(([name, value]) => value && data.append(name, value));
    status.replaceChildren(el("p", { role: "status" }, `Looking for the rows of ${file.name} in the library …`));
    let found;
    try {
      found = await upload("/playlists/import", data);
    } catch (error) {
      if (error.code !== "unknown_columns" || !error.table) throw error;
      byId("imported").replaceChildren(askColumns(error, (said) => { columns = said; add(asked.if_exists); }));
      return undefined;
    } finally {
      status.replaceChildren();
    }
    byId("imported").replaceChildren(matched(found));
    return found.job;
  }

  /** What became of the rows, in words; louder when much is missing. */
  function matched({ playlist, counts, refusal, left_out: leftOut }) {
    const n = counts.rows;
    const lost = n ? 1 - (counts.used ?? 0) / n : 1;
    const others = Object.entries(counts).filter(([outcome, some]) => some && OUTCOMES[outcome] && outcome !== "used").map(([outcome, some]) => `${some.toLocaleString("en")} ${OUTCOMES[outcome]}`);
    return el("div", { className: lost >= MANY_LOST ? "warning" : "notice", role: "status" },
      el("p", {}, el("strong", {}, `${playlist.name}: ${(counts.used ?? 0).toLocaleString("en")} of ${plural(n, "row")} ${OUTCOMES.used} (${percent(1 - lost)}).`), others.length ? ` ${others.join(", ")}.` : "", refusal ? ` ${refusal}` : ""),
      lost >= MANY_LOST ? el("p", {}, "Only what was found is learnt. If the files are on this machine, scan their folder and import the list again; nothing is guessed.") : null,
      leftOut.length ? el("ul", { className: "small" }, leftOut.slice(0, 5).map((row) => el("li", {}, `${row.row}. ${[row.artist, row.title].filter(Boolean).join(" – ")}: ${row.reason || OUTCOMES[row.outcome]}`))) : null,
      el("a", { href: `/app/playlists/${playlist.id}#matches` }, "See what was matched, and settle the rest"));
  }

  listen();
}
