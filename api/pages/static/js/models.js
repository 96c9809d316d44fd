// The trained models: who answers, how well each was judged, promoting one and putting one back.

import { el, moment, percent, problemBox } from "./dom.js";
import { getJson, sendJson } from "./http.js";
import { reportOf } from "./scorecard.js";
import { compareModels } from "./compare.js";
import { followJob, followRunning } from "./job_progress.js";
import { showCard } from "./card.js";

const N_JUDGED = 20;

/** Work on the page in `main`. */
export function mount(main) {
  const byId = (id) => main.querySelector(`#${id}`);
  const list = byId("models");
  const problem = byId("problem");

  async function show() {
    try {
      const { models } = await getJson("/models");
      const serving = models.find((model) => model.serving);
      const before = models.filter((model) => model.promoted_at && !model.serving).sort((a, b) => b.promoted_at.localeCompare(a.promoted_at))[0];
      const judged = await Promise.all(models.slice(0, N_JUDGED).map(figures)); // first, so that nothing jumps when they come
      list.replaceChildren(...models.map((model, place) => row(model, serving, { wasBefore: model === before, figures: judged[place] ?? [] })));
      if (!models.length) list.append(el("li", {}, "There is none yet: it is made from your playlists."));
      byId("train").hidden = !models.length;
      // Another network took over: how both did, without being asked.
      if (serving && before && serving.fingerprint !== before.fingerprint) await compareModels(byId("comparison"), serving, before, { isAsked: false });
    } catch (error) {
      problem.replaceChildren(problemBox(error, { again: () => { problem.replaceChildren(); show(); } }));
    }
  }

  function row(model, serving, { wasBefore, figures: shown }) {
    const promotion = wasBefore ? "Roll back to it" : model.promoted_at ? "Put back" : "Promote";
    return el("li", { className: model.serving ? "serving" : "" },
      el("div", { className: "row" },
        el("strong", { className: "grow" }, model.id, " ", el("span", { className: `state ${model.serving ? "running" : ""}` }, model.serving ? "answers now" : wasBefore ? "answered before" : model.state)),
        model.serving || !serving ? null : el("button", { onclick: () => compare(serving, model), "aria-label": `Compare ${model.id} with the one that answers` }, "Compare"),
        model.serving ? null : el("button", { onclick: (event) => promote(model, event.target), "aria-label": `${promotion}: ${model.id}` }, promotion)),
      el("p", { className: "small muted" }, `${moment(model.created_at)}, heard by ${model.encoder ?? "an unknown encoder"}; ${groups(model)}`),
      el("div", { className: "figures small" }, shown));
  }

  const groups = (model) => (model.summary.groups ?? []).map((group) => `${group.name}: ${group.playlists.map((playlist) => playlist.name).join(", ")}`).join("; ");

  async function figures(model) {
    try {
      const { report, scorecard } = await reportOf(model);
      return scorecard ? showCard(model, scorecard) : [el("p", {}, contest(report.comparison) ?? "Not judged; the next training judges the one that answers then.")];
    } catch (error) {
      return [problemBox(error)];
    }
  }

  /** How a challenger did against the one that answered when it was trained. */
  function contest(found) {
    if (!found) return null;
    const points = (share) => `${share > 0 ? "+" : "−"}${Math.abs(100 * share).toFixed(0)}`;
    return `When it was trained it placed ${percent(found.challenger)} right, the one that answered ${percent(found.champion)}: a difference between ${points(found.low)} and ${points(found.high)} points, ${found.is_better ? "clearly better" : "not clearly better"}.`;
  }

  async function promote(model, button) {
    problem.replaceChildren();
    button.disabled = true;
    try {
      await sendJson("POST", `/models/${encodeURIComponent(model.id)}/promote`);
      await show();
      byId("said").textContent = `${model.id} answers now.`;
    } catch (error) {
      button.disabled = false;
      problem.replaceChildren(problemBox(error));
    }
  }

  async function compare(serving, model) {
    try {
      await compareModels(byId("comparison"), serving, model);
    } catch (error) {
      byId("comparison").replaceChildren(problemBox(error));
    }
  }

  byId("train").addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      const { job } = await sendJson("POST", "/models");
      await followJob(byId("training"), job.id);
      await show();
    } catch (error) {
      problem.replaceChildren(problemBox(error));
    } finally {
      byId("train").disabled = false;
    }
  });
  show();
  followRunning(byId("training"), ["train"]).then((n) => n && show()).catch(() => {});
}
