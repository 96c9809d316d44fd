// One shell for all pages: a link of ours brings the next page in place of <main>, while what plays and what is sent goes on.
// Without it every page works as well: each is whole when it is opened by its address.

import { forgetListeners, setAsked } from "./player.js";

const OURS = /^\/($|app\/(?!login))/;
const OVER_MS = 5000;
const MARK = { shell: true };
const heights = new Map(); // address -> how far it was scrolled
let leaving = new AbortController();
let going = new AbortController();
let here = location.href;

/** Go to a page of ours without a new document; `isNew` false for one that the browser's history names. */
export async function go(address, { isNew = true } = {}) {
  const url = new URL(address, location.href);
  going.abort();
  going = new AbortController();
  const { signal } = going;
  let page;
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.any([signal, AbortSignal.timeout(OVER_MS)]) });
    page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok || !isSame(page)) throw new Error("another kind of page");
  } catch {
    if (!signal.aborted) location.assign(url); // the browser shows what it is, or why it does not come
    return;
  }
  heights.set(here, scrollY);
  if (isNew) history.pushState(MARK, "", url);
  here = location.href;
  show(page, url, { height: isNew ? 0 : heights.get(here) ?? 0 });
}

/** Whether a page belongs to this shell: not that of a newer version, and not where one logs in. */
function isSame(page) {
  const style = (where) => where.querySelector("link[rel=stylesheet]")?.getAttribute("href");
  return page.querySelector(".rail") && page.getElementById("main") && style(page) === style(document);
}

function show(page, url, { height }) {
  leaving.abort();
  forgetListeners();
  setAsked(null);
  document.title = page.title;
  for (const name of [".rail", "#main"]) document.querySelector(name).replaceWith(document.importNode(page.querySelector(name), true));
  const main = document.getElementById("main");
  main.focus({ preventScroll: true });
  scrollTo(0, height);
  mount(main, page);
  if (url.hash) document.getElementById(url.hash.slice(1))?.scrollIntoView();
}

/** Let the scripts that a page names work on its <main>, until it is left; then it says that it is ready. */
async function mount(main, page) {
  leaving = new AbortController();
  const { signal } = leaving;
  for (const named of page.querySelectorAll("script.page-script")) {
    const script = await import(new URL(named.getAttribute("src"), location.href));
    if (!signal.aborted) script.mount(main, { signal });
  }
  main.ariaBusy = "false";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  if (link.target || link.hasAttribute("download") || url.origin !== location.origin || !OURS.test(url.pathname)) return;
  if (url.hash && url.pathname + url.search === location.pathname + location.search) return;
  event.preventDefault();
  go(url);
});
// Of its own accord a browser changes the fragment only, and such an entry is not marked.
addEventListener("popstate", (event) => event.state && go(location.href, { isNew: false }));
history.replaceState(MARK, "");
mount(document.getElementById("main"), document);
