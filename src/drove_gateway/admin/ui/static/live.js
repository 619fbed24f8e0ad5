// Look again whenever the gateway says that something changed. The page works without this.
"use strict";
const search = document.getElementById("search");
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
let looking = false;
let again = false;
async function look() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("main");
      const shown = document.getElementById("main");
      const open = new Set([...shown.querySelectorAll("details[open] time")].map((time) => time.textContent));
      for (const time of fresh.querySelectorAll("details time")) {
        if (open.has(time.textContent)) time.closest("details").open = true;
      }
      shown.replaceWith(fresh);
      document.title = page.title;
    }
  } finally {
    looking = false;
    if (again) {
      again = false;
      look();
    }
  }
}
const events = new EventSource("/ui/events");
events.addEventListener("message", look);
// Something may have changed before the stream began, or while it was interrupted.
events.addEventListener("open", look);
