// The score card of a model in short: what the playlists come to, taken for each other how often, how honest.

import { el, percent, plural } from "./dom.js";

const LINES = { random: "guessing", popularity: "always the largest playlist", mean_mel_cosine: "comparing spectra", mfcc_logistic: "timbre alone" };

/** Elements for every group of a card, and the way to the whole page with its plots. */
export function showCard(model, card) {
  return [
    ...card.groups.map((group) => (group.error ? el("p", {}, `${group.group}: ${group.error}`) : groupFigures(group))),
    el("p", {}, el("a", { href: `/models/${encodeURIComponent(model.id)}/report`, "aria-label": `Score card of ${model.id}` }, "Whole score card, with its plots")),
  ];
}

function groupFigures(group) {
  const [low, high] = group.balanced_accuracy_ci;
  const found = `${group.group}: ${percent(group.balanced_accuracy)} are placed right when their artists are hidden (95 % interval ${percent(low)} to ${percent(high)})`;
  const known = group.known_artists;
  return el("div", {},
    known ? el("p", {}, `${group.group}: of songs by artists that your playlists know, ${percent(known.accuracy)} are placed right at first guess; ${percent(known.singletons)} of the answers name one playlist, and ${percent(known.singleton_accuracy)} of those are right.`) : null,
    el("p", {}, `${found}, over ${plural(group.n_tracks, "track")} of ${plural(group.n_artists, "artist")}. ${group.beats_chance ? "" : "That may still be chance: few artists were there to learn from."}`),
    el("details", {}, el("summary", {}, "Beside simple ways, and playlist by playlist"),
      columns(group),
      bars([["this model", group.balanced_accuracy, true], ...Object.entries(group.baselines).map(([name, share]) => [LINES[name] ?? name.replaceAll("_", " "), share])]),
      confusion(group)));
}

const COLUMNS = [["right at first guess", "accuracy"], ["right one among those named", "coverage"], ["names one playlist", "singletons"], ["right where it names one", "singleton_accuracy"], ["says that none fits", "turned_away"]];

/** New artists and known ones side by side; cards of earlier versions have no such figures. */
function columns(group) {
  if (group.singletons === undefined) return null;
  const cell = (value) => el("td", { className: "number" }, value === null || value === undefined ? "–" : percent(value));
  return el("div", { className: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col", className: "number" }, "new artists"), el("th", { scope: "col", className: "number" }, "known artists"))),
    el("tbody", {}, COLUMNS.map(([words, key]) => el("tr", {}, el("th", { scope: "row" }, words), cell(group[key]), cell(group.known_artists?.[key]))))));
}

function bars(rows) {
  return el("div", { className: "parts" }, rows.flatMap(([name, share, isOurs]) => {
    const filled = el("div");
    filled.style.transform = `scaleX(${share})`;
    return [el("span", {}, name), el("div", { className: `bar thin ${isOurs ? "" : "plain"}`, "aria-hidden": "true" }, filled), el("span", { className: "number" }, percent(share))];
  }));
}

/** Rows: where tracks are; columns: where they were placed. */
function confusion({ labels, confusion: counts }) {
  if (!labels?.length || labels.length > 30) return null;
  const most = Math.max(...counts.flat(), 1);
  const cell = (n, row, column) => {
    const made = el("td", { className: "number" }, String(n));
    made.style.setProperty("--share", `${Math.round((60 * n) / most)}%`);
    made.className = row === column ? "number right" : "number";
    return made;
  };
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Where tracks were placed" }, el("table", { className: "confusion" },
    el("caption", {}, "Tracks of … (rows) placed in … (columns)"),
    el("thead", {}, el("tr", {}, el("td"), labels.map((label) => el("th", { scope: "col", className: "number" }, label)))),
    el("tbody", {}, counts.map((row, from) => el("tr", {}, el("th", { scope: "row" }, labels[from]), row.map((n, to) => cell(n, from, to)))))));
}
