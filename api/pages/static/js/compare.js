// Two models side by side: the one that answers and another, on the tracks that both were judged on.

import { el, percent } from "./dom.js";
import { getJson, query } from "./http.js";

/** Show the comparison of two models in `target` and lead the reader there, where it was asked for. */
export async function compareModels(target, serving, other, { isAsked = true } = {}) {
  const found = await getJson(`/models/compare${query({ a: serving.id, b: other.id })}`);
  const heading = el("h2", { tabIndex: -1 }, `${found.a.id} against ${found.b.id}`);
  target.replaceChildren(heading,
    ...found.notes.map((note) => el("p", { className: "notice" }, note)),
    ...found.groups.map((group) => groupTable(found, group)));
  if (isAsked) heading.focus();
}

function groupTable(found, group) {
  const cell = (value) => el("td", { className: "number" }, value === null || value === undefined ? "–" : percent(value));
  const interval = (card) => (card?.balanced_accuracy_ci?.every((end) => end !== null)
    ? ` (${percent(card.balanced_accuracy_ci[0])} to ${percent(card.balanced_accuracy_ci[1])})` : "");
  const whole = (card) => el("td", { className: "number" }, card?.error ?? (card?.balanced_accuracy === null || !card ? "–" : percent(card.balanced_accuracy) + interval(card)));
  return el("div", { className: "scroll" },
    el("table", {},
      el("caption", {}, verdict(found, group)),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, group.group), el("th", { scope: "col", className: "number" }, found.a.id), el("th", { scope: "col", className: "number" }, found.b.id))),
      el("tbody", {},
        el("tr", {}, el("th", { scope: "row" }, "balanced accuracy"), whole(group.a), whole(group.b)),
        group.playlists.map((playlist) => el("tr", {}, el("th", { scope: "row" }, `found again: ${playlist.name}`), cell(playlist.recall_a), cell(playlist.recall_b))))));
}

function verdict(found, { paired }) {
  if (!paired) return "Not judged on the same tracks, so the difference cannot be said.";
  const points = (share) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
  const better = { a: `${found.a.id} is better`, b: `${found.b.id} is better` }[paired.better] ?? "neither is clearly better";
  const [low, high] = paired.difference_ci;
  return `On the ${paired.n_tracks} tracks of ${paired.n_artists} artists that both were judged on, ${better}: ${points(paired.difference)} points (95 % interval ${points(low)} to ${points(high)}).`;
}
