// Before there is a model: what lies in the music folders, which of it looks like a playlist, and which become some.

import { el, plural, problemBox } from "./dom.js";
import { followJob } from "./job_progress.js";
import { getJson, sendJson } from "./http.js";
import { go } from "./shell.js";

const LOOKS = { playlist: "looks like a playlist", artist: "looks like an artist", album: "looks like an album", empty: "holds no songs" };

/** Work on the page in `main`. */
export function mount(main) {
  const byId = (id) => main.querySelector(`#${id}`);
  const place = byId("folders");
  const parentOf = (path) => path.replace(/[\\/][^\\/]+$/, "");

  async function show() {
    try {
      const { folders } = await getJson("/folders");
      const filled = folders.filter((folder) => folder.kind !== "empty");
      if (filled.length) place.replaceChildren(choice(filled));
    } catch (error) {
      place.replaceChildren(problemBox(error, { again: show }));
    }
  }

  function choice(folders) {
    const status = el("div");
    const boxes = folders.map((folder) => ({ folder, box: el("input", { type: "checkbox", checked: folder.kind === "playlist" }) }));
    const likely = folders.filter((folder) => folder.kind === "playlist").length;
    const form = el("form", { className: "panel", "aria-labelledby": "folders-title", onsubmit: (event) => { event.preventDefault(); make(form, boxes, status); } },
      el("h2", { id: "folders-title" }, "Which of your folders are playlists?"),
      el("p", {}, `${plural(folders.length, "folder")} lie in your music folders; ${likely ? `${likely} look like playlists` : "none looks like a playlist"}, the others like artists or albums. What is not ticked is heard all the same, and can be found, compared and sorted.`),
      el("ul", { className: "plain" }, boxes.map(({ folder, box }) => el("li", {},
        el("label", {}, box, ` ${folder.name} `, el("span", { className: "small muted" }, `${plural(folder.n_files, "song")}; ${LOOKS[folder.kind]}`))))),
      el("button", { className: "main" }, "Make these playlists"), status);
    return form;
  }

  async function make(form, boxes, status) {
    const chosen = boxes.filter(({ box }) => box.checked).map(({ folder }) => folder);
    if (!chosen.length) {
      status.replaceChildren(problemBox({ title: "Nothing is ticked", action: "Tick the folders that are playlists, or add playlists by dropping files." }));
      return;
    }
    form.querySelector("button").disabled = true;
    const inside = new Map();
    for (const folder of chosen) inside.set(parentOf(folder.path), [...(inside.get(parentOf(folder.path)) ?? []), folder]);
    try {
      for (const [path, folders] of inside) {
        const { job } = await sendJson("POST", "/tracks", { path, playlists: folders.map((folder) => folder.name) });
        const ended = await followJob(status, job.id);
        if (ended.state === "succeeded") go(location.href, { isNew: false });
      }
    } catch (error) {
      status.replaceChildren(problemBox(error));
      form.querySelector("button").disabled = false;
    }
  }

  if (place) show();
}
