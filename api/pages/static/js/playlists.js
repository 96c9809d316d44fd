// The playlists: how large, how well told apart, what is being learnt.

import { el, moment, percent, plural, problemBox } from "./dom.js";
import { doubtsOf, figuresOf, servedCard } from "./scorecard.js";
import { followRunning } from "./job_progress.js";
import { getJson } from "./http.js";
import { listenForPlaylists } from "./add_playlist.js";

const KINDS = ["add_playlist", "import_playlist", "sync", "refit", "scan"];
const UNJUDGED = "Nothing was judged yet: the first training does it, in the background.";

/** Work on the page in `main` until `signal` says that it is left. */
export function mount(main, { signal }) {
  const byId = (id) => main.querySelector(`#${id}`);
  async function list() {
    try {
      const { playlists } = await getJson("/playlists");
      byId("empty").hidden = playlists.length > 0;
      byId("table").hidden = playlists.length === 0;
      byId("table").classList.toggle("one-group", new Set(playlists.map((playlist) => playlist.group)).size < 2);
      byId("groups").replaceChildren(...[...new Set(playlists.map((p) => p.group))].map((name) => el("option", { value: name })));
      const draw = (card) => byId("rows").replaceChildren(...playlists.map((playlist) => row(playlist, card)));
      if (!byId("rows").children.length) draw({ groups: [] });
      if (!playlists.length) return;
      const card = await servedCard().catch(() => ({ groups: [] }));
      draw(card);
      byId("judged").textContent = card.groups.length ? about(card) : UNJUDGED;
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error, { again: () => { byId("problem").replaceChildren(); list(); } }));
    }
  }

  const about = (card) => `Found again: how many of its tracks are placed in it while every track of their artist is hidden. Right if named: how many of those placed in it belong there. Judged with model ${card.bundle}${card.created_at ? `, ${moment(card.created_at)}` : ""}.`;

  function row(playlist, card) {
    const figures = figuresOf(card, playlist);
    const doubts = doubtsOf(card, playlist).length;
    const cell = (name, text, className = "number") => el("td", { className, dataset: { name } }, text);
    const share = (name, value) => cell(name, value === undefined || value === null ? "–" : percent(value));
    const address = `/app/playlists/${playlist.id}`;
    return el("tr", {},
      el("th", { scope: "row" }, el("a", { href: address }, playlist.name)),
      cell("Group", playlist.group, "group"),
      cell("Tracks", playlist.n_tracks.toLocaleString("en")),
      cell("Artists", figures ? String(figures.n_artists) : "–"),
      share("Found again", figures?.recall),
      share("Right if named", figures?.precision),
      el("td", { className: "notes" },
        doubts ? el("a", { href: `${address}#doubts`, className: "small" }, `${plural(doubts, "song")} may not belong`) : null,
        figures?.warnings?.length ? el("details", {}, el("summary", { className: "small" }, plural(figures.warnings.length, "warning")),
          figures.warnings.map((warning) => el("p", { className: "small" }, warning))) : null));
  }

  async function follow() {
    try {
      if (await followRunning(byId("working"), KINDS)) list();
    } catch { /* the list says when the server is away */ }
  }

  listenForPlaylists(main, { signal, onChange: list });
  list();
  follow();
}
