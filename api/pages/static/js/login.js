// Trades the token for a cookie that scripts cannot read, and goes on to where the visitor wanted to be.

import { problemBox } from "./dom.js";
import { sendJson } from "./http.js";

/** Work on the page in `main`. */
export function mount(main) {
  const byId = (id) => main.querySelector(`#${id}`);
  byId("login").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await sendJson("POST", "/session", { token: byId("token").value });
      location.assign(byId("login").dataset.next);
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error));
    }
  });
}
