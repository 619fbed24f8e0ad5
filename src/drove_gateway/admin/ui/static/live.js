// Look again whenever the gateway says that something changed. The page works without this.
"use strict";
const REST_MS = 2000;
const search = document.getElementById("search");
let seen = new Date();
// Made here: without scripts nothing could hide it again.
const stale = document.createElement("p");
stale.id = "stale";
stale.className = "red";
stale.setAttribute("role", "alert");
stale.hidden = true;
document.getElementById("main").before(stale);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
function selecting(main) {
  const selection = document.getSelection();
  return !selection.isCollapsed && main.contains(selection.anchorNode);
}
function same(element) {
  return (other) =>
    other.tagName === element.tagName &&
    other.getAttribute("href") === element.getAttribute("href") &&
    other.textContent === element.textContent;
}
function show(fresh) {
  const shown = document.getElementById("main");
  const open = new Set([...shown.querySelectorAll("details[open] time")].map((time) => time.textContent));
  for (const time of fresh.querySelectorAll("details time")) {
    if (open.has(time.textContent)) time.closest("details").open = true;
  }
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  shown.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll("a, button, summary")].find(same(focused))?.focus();
}
function setStale(isStale) {
  const at = seen.toISOString().slice(0, 19).replace("T", " ");
  stale.textContent =
    `The gateway does not respond. This is what it reported at ${at} UTC; the proxy keeps serving. ` +
    "What helps: systemctl status drove-gateway";
  stale.hidden = !isStale;
}
let looking = false;
let again = false;
let resting = 0;
async function look() {
  if (looking) {
    again = true;
    return;
  }
  if (selecting(document.getElementById("main"))) {
    // Whoever copies a command must not lose it.
    clearTimeout(resting);
    resting = setTimeout(look, REST_MS);
    return;
  }
  looking = true;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      show(page.getElementById("main"));
      document.title = page.title;
      seen = new Date();
      setStale(false);
    }
  } catch {
    setStale(true);
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
// Without a stream, what is shown may be old.
events.addEventListener("error", () => setStale(true));
