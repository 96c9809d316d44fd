// Another playlist, or a new one, for a song: a field that narrows the list while one types.

import { el, problemBox } from "./dom.js";
import { getJson, query, sendJson } from "./http.js";

/** Ask; the playlist's id, or null where nobody chose. `playlists` are those of the group. */
export function choosePlaylist({ title, playlists, group, colour }) {
  return new Promise((resolve) => {
    const field = el("input", { type: "text", id: "another", autocomplete: "off", spellcheck: false, maxLength: 200 });
    const list = el("div", { className: "choose", role: "group", "aria-label": "Playlists" });
    const problem = el("div");
    const close = (id) => { dialog.close(); dialog.remove(); resolve(id); };
    const make = async (name) => {
      try {
        close(await makePlaylist(name, group));
      } catch (error) {
        problem.replaceChildren(problemBox(error));
      }
    };
    const show = () => {
      const text = field.value.trim();
      const found = playlists.filter((playlist) => playlist.name.toLowerCase().includes(text.toLowerCase()));
      const isKnown = playlists.some((playlist) => playlist.name === text);
      list.replaceChildren(...found.map((playlist) => {
        const button = el("button", { type: "button", className: "place", onclick: () => close(playlist.id) }, playlist.name);
        button.style.setProperty("--chip", colour(playlist.id));
        return button;
      }), ...(text && !isKnown ? [el("button", { type: "button", onclick: () => make(text) }, `New playlist “${text}”`)] : []));
    };
    const form = el("form", { onsubmit: (event) => { event.preventDefault(); list.querySelector("button")?.click(); } },
      el("label", { htmlFor: "another" }, title), field, list, problem,
      el("button", { type: "button", className: "quiet", onclick: () => close(null) }, "Cancel"));
    const dialog = el("dialog", { className: "another", "aria-label": "Another playlist" }, form);
    dialog.addEventListener("cancel", () => close(null));
    field.addEventListener("input", show);
    document.body.append(dialog);
    show();
    dialog.showModal();
    field.focus();
  });
}

async function makePlaylist(name, group) {
  await sendJson("POST", "/playlists", { name, group, track_ids: [] });
  const { playlists } = await getJson(`/playlists${query({ group })}`);
  return playlists.find((playlist) => playlist.name === name).id;
}
