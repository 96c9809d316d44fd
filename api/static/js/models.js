// The trained models: who answers, how well each was judged, promoting one and putting one back.

import { byId, el, percent, problemBox } from "./dom.js";
import { getJson, sendJson } from "./http.js";
import { followJob } from "./job_progress.js";
import { compareModels } from "./compare.js";

const list = byId("models");
const problem = byId("problem");

async function show() {
  try {
    const { models } = await getJson("/models");
    const serving = models.find((model) => model.serving);
    list.replaceChildren(...models.map((model) => row(model, serving)));
    if (!models.length) list.append(el("li", {}, "There is none yet: it is made from your playlists."));
    await Promise.all(models.slice(0, 20).map(judge));
  } catch (error) {
    problem.replaceChildren(problemBox(error, { again: show }));
  }
}

function row(model, serving) {
  const page = `/models/${encodeURIComponent(model.id)}/report`;
  return el("li", {},
    el("div", { className: "row" },
      el("strong", { className: "grow" }, model.id),
      el("span", { className: `state ${model.serving ? "running" : ""}` }, model.serving ? "answers now" : model.state),
      el("a", { href: page, "aria-label": `Score card of ${model.id}` }, "Score card"),
      model.serving ? null : el("button", { onclick: () => compare(serving, model), disabled: !serving, "aria-label": `Compare ${model.id} with the one that answers` }, "Compare"),
      model.serving ? null : el("button", { onclick: () => promote(model), "aria-label": `Let ${model.id} answer` }, model.promoted_at ? "Put back" : "Promote")),
    el("p", { className: "small muted" }, `made ${new Date(model.created_at).toLocaleString()}, heard by ${model.encoder ?? "an unknown encoder"}; ${groups(model)}`),
    el("p", { className: "small", id: `figures-${model.id}` }));
}

function groups(model) {
  return (model.summary.groups ?? []).map((group) => `${group.name}: ${group.playlists.map((playlist) => playlist.name).join(", ")}`).join("; ");
}

async function judge(model) {
  const target = byId(`figures-${model.id}`);
  const { scorecard } = await getJson(`/models/${encodeURIComponent(model.id)}/report`);
  target.textContent = scorecard ? scorecard.groups.map(figures).join(" ") : "Not judged yet; the next training does it.";
}

function figures(group) {
  if (group.error) return `${group.group}: ${group.error}`;
  const [low, high] = group.balanced_accuracy_ci;
  const than = group.beats_chance ? "" : ", no better than chance";
  return `${group.group}: balanced accuracy ${percent(group.balanced_accuracy)} (95 % interval ${percent(low)} to ${percent(high)}${than}), guessing ${percent(group.chance)}.`;
}

async function promote(model) {
  problem.replaceChildren();
  try {
    await sendJson("POST", `/models/${encodeURIComponent(model.id)}/promote`);
    await show();
  } catch (error) {
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
