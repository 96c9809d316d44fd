// What became of the rows of an imported playlist; every doubtful one can be settled here.

import { clock, el, firstOf, named, percent, plural, problemBox } from "./dom.js";
import { getJson, sendJson } from "./http.js";
import { playButton } from "./player.js";
import { searchBox } from "./search.js";

const SENTENCES = {
  used: "used", review: "to be looked at", unmatched: "not in the library", rejected: "rejected by you", skipped: "no tracks",
};
const MANY_LOST = 0.25;

/** The report as an element, or nothing when the playlist was not imported. */
export async function showMatchReport(playlist) {
  let report;
  try {
    report = await getJson(`/playlists/${playlist.id}/matches`);
  } catch (error) {
    return problemBox(error);
  }
  if (!report.rows.length) return "";
  const open = report.rows.filter((row) => row.outcome !== "used");
  const lost = open.length / report.rows.length;
  return el("section", { id: "matches", "aria-label": "Match report" },
    el("h2", {}, "What was matched"),
    el("p", { className: lost >= MANY_LOST ? "warning" : "" }, Object.entries(report.counts).filter(([outcome, n]) => n && SENTENCES[outcome]).map(([outcome, n]) => `${n.toLocaleString("en")} ${SENTENCES[outcome]}`).join(", "),
      `, of ${plural(report.rows.length, "row")}. `, open.length ? "Nothing is guessed: what is not sure waits for you here, and what you say is remembered." : "Every row was found."),
    ...firstOf(el("ul", { className: "ranked" }), open, (row) => openRow(playlist, row)));
}

function openRow(playlist, row) {
  const item = el("li");
  item.append(...contents(playlist, row, item));
  return item;
}

function contents(playlist, row, item) {
  const settle = async (body) => {
    try {
      const settled = await sendJson("PUT", `/playlists/${playlist.id}/matches/${row.row}`, body);
      item.replaceChildren(...contents(playlist, settled.row, item));
    } catch (error) {
      item.append(problemBox(error));
    }
  };
  const asked = `${row.artist || "unknown artist"} – ${row.title || row.path || "untitled"}${row.duration_s ? ` (${clock(row.duration_s)})` : ""}`;
  return [
    el("div", { className: "row" }, el("strong", { className: "grow" }, `${row.row}. ${asked}`), el("span", { className: "state" }, SENTENCES[row.outcome] ?? row.outcome)),
    row.note ? el("p", { className: "small muted" }, row.note) : null,
    row.track && row.outcome !== "used" ? proposal(row, settle) : null,
    row.track && row.outcome === "used" ? el("p", { className: "small" }, `is ${named(row.track)}`) : null,
    row.outcome === "skipped" || row.outcome === "used" ? null : other(row, settle),
  ].filter(Boolean);
}

function proposal(row, settle) {
  const { track } = row;
  return el("div", { className: "row small" }, playButton(track),
    el("span", { className: "grow" }, `${named(track)}, ${row.method}, ${percent(row.score)} alike`),
    el("button", { onclick: () => settle({ decision: "accept" }), "aria-label": `${track.title} is it` }, "That is it"),
    el("button", { onclick: () => settle({ decision: "reject" }), "aria-label": `${track.title} is not it` }, "It is not"));
}

function other(row, settle) {
  const input = el("input", { id: `other-${row.row}`, className: "grow", autocomplete: "off", "aria-label": `Another track for row ${row.row}` });
  const form = el("form", {}, el("div", { className: "row" }, input, el("button", {}, "Use")));
  const said = el("p", { className: "small", role: "status" });
  searchBox(form, {
    onTrack: (track) => settle({ decision: "choose", track_id: track.id }),
    onText: () => { said.textContent = "Choose one of the tracks that are found while you type."; },
  });
  return el("details", {}, el("summary", { className: "small" }, row.alternatives.length ? `Choose another (${plural(row.alternatives.length, "more proposal")})` : "Choose another"),
    row.alternatives.map(({ track, score }) => el("div", { className: "row small" }, playButton(track), el("span", { className: "grow" }, `${named(track)}, ${percent(score)} alike`),
      el("button", { onclick: () => settle({ decision: "choose", track_id: track.id }), "aria-label": `Choose ${track.title}` }, "Choose"))),
    form, said);
}
