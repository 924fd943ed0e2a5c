/* Everything the browser does by itself: it listens for changes and fetches what they concern,
 * keeps times fresh, follows logs, and answers to keys. Pages are whole without it.
 *
 * Messages of the stream are JSON: {"kind": "run", "id": "..."} and {"kind": "logs", "id": "..."}
 * for one run, {"kind": "runs"} for lists, {"kind": "all"} when too much was missed to name it,
 * {"kind": "time"} for what changes by itself, and
 * {"kind": "beat"} every 15 seconds so that a silent stream can be told from a dead one.
 * A message becomes the event `armillary:<kind>-changed` on the body, and elements whose data-live
 * names `<kind>:<id>` or `<kind>` are fetched anew.
 * The stream carries no content and no authority: each fragment is asked for as usual.
 */

const SILENCE = 30_000;
const POLL_ACTIVE = 3_000;
const POLL_IDLE = 60_000;
const ACTIVE_FOR = 60_000;
const BETWEEN_REFRESHES = 500;
const REOPEN_FIRST = 2_000;
const REOPEN_LAST = 60_000;
const MOST_LINES = 5_000;

const html = document.documentElement;
const body = document.body;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/* Refreshing: what changed is gathered and fetched at most twice a second. */

const pending = new Set();
const busy = new WeakSet();
const refused = new WeakMap();
let flushTimer = 0;
let flushedAt = 0;

function tokensOf(element) {
  return (element.dataset.live ?? "").split(" ");
}

function want(elements) {
  for (const element of elements) pending.add(element);
  if (!pending.size || flushTimer) return;
  const wait = Math.max(0, flushedAt + BETWEEN_REFRESHES - Date.now());
  flushTimer = setTimeout(flush, wait);
}

function flush() {
  flushTimer = 0;
  flushedAt = Date.now();
  const again = [];
  for (const element of pending) {
    if (busy.has(element)) again.push(element);
    else if (element.isConnected) refresh(element);
  }
  pending.clear();
  want(again);
}

async function refresh(element) {
  busy.add(element);
  try {
    if (element.fetchLater) await element.fetchLater();
    else if (element.dataset.liveSrc) await morph(element);
    delete element.dataset.stale;
  } catch (fault) {
    element.dataset.stale = "";
    console.warn("armillary: a part of the page could not be refreshed", fault);
  } finally {
    busy.delete(element);
  }
}

async function morph(element) {
  await window.htmx.ajax("GET", element.dataset.liveSrc, { source: element, target: element });
  const status = refused.get(element);
  refused.delete(element);
  if (status) throw new Error(`${element.id} answered ${status}`);
}

/* A refresh that fails leaves what is shown; only what a person asked for shows its error. */
body.addEventListener("htmx:beforeSwap", (event) => {
  const element = event.detail.requestConfig?.elt ?? event.target;
  if (event.detail.xhr.status >= 400 && element.dataset?.liveSrc && busy.has(element)) {
    event.detail.shouldSwap = false;
    refused.set(element, event.detail.xhr.status);
  }
});
body.addEventListener("htmx:afterSettle", () => { reveal(); tick(); });

/* The stream: one per tab, let go while the tab is hidden, since a browser allows about six
 * connections to a server over all its tabs. */

let stream = null;
let heardAt = Date.now();
let polledAt = Date.now();
let seenAt = Date.now();
let reopenAfter = REOPEN_FIRST;
let reopenTimer = 0;

function openStream() {
  clearTimeout(reopenTimer);
  if (stream || !body.dataset.stream || document.hidden || !document.querySelector("[data-live]")) return;
  stream = new EventSource(body.dataset.stream);
  stream.onopen = () => { heard(); showLive(true); };
  stream.onmessage = (event) => { heard(); receive(event.data); };
  stream.onerror = () => {
    showLive(false);
    if (stream?.readyState !== EventSource.CLOSED) return;
    closeStream();
    reopenTimer = setTimeout(openStream, reopenAfter);
    reopenAfter = Math.min(reopenAfter * 2, REOPEN_LAST);
  };
}

function closeStream() {
  clearTimeout(reopenTimer);
  stream?.close();
  stream = null;
}

function heard() {
  heardAt = Date.now();
  reopenAfter = REOPEN_FIRST;
}

function receive(data) {
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    console.warn("armillary: the stream sent something that is no JSON");
    return;
  }
  if (message.kind === "beat") return;
  if (message.kind === "all") { want(all("[data-live]")); return; }
  const detail = { kind: String(message.kind), id: message.id ?? null };
  body.dispatchEvent(new CustomEvent(`armillary:${detail.kind}-changed`, { bubbles: true, detail }));
  const concerned = detail.id === null ? [detail.kind] : [detail.kind, `${detail.kind}:${detail.id}`];
  want(all("[data-live]").filter((element) => tokensOf(element).some((token) => concerned.includes(token))));
}

function poll() {
  if (document.hidden || Date.now() - heardAt < SILENCE) return;
  showLive(false);
  const pace = Date.now() - seenAt < ACTIVE_FOR ? POLL_ACTIVE : POLL_IDLE;
  if (Date.now() - polledAt < pace) return;
  polledAt = Date.now();
  want(all("[data-live]"));
}

function showLive(live) {
  for (const place of all("[data-live-state]")) {
    place.hidden = live;
    place.textContent = live ? "" : "Live updates paused; looking now and then.";
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    closeStream();
    return;
  }
  seenAt = Date.now();
  heard();
  openStream();
  want(all("[data-live]"));
});
for (const sign of ["pointermove", "keydown", "focus"]) {
  addEventListener(sign, () => { seenAt = Date.now(); }, { passive: true });
}
addEventListener("pagehide", closeStream);
addEventListener("pageshow", (event) => { if (event.persisted) openStream(); });

/* Times. The words are those of the server's filters, so that a refresh changes nothing. */

function two(whole, large, first, small, second) {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)}${first}${rest ? ` ${rest}${second}` : ""}`;
}

function durationText(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return two(whole, 60, "m", 1, "s");
  if (whole < 86400) return two(whole, 3600, "h", 60, "m");
  return two(whole, 86400, "d", 3600, "h");
}

function ageText(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 5) return "now";
  const units = [[31536000, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const [size, unit] = units.find(([least]) => distance >= least);
  const text = `${Math.floor(distance / size)} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  for (const element of all("time[data-age]")) {
    const moment = Date.parse(element.dateTime);
    say(element, ageText((now - moment) / 1000));
    element.title = full.format(moment);
  }
  for (const element of all("time[data-since]")) {
    say(element, durationText(Math.max(0, (now - Date.parse(element.dateTime)) / 1000)));
  }
}

/* A log that grows: lines are fetched by cursor and put at the end, which is followed while the
 * reader is there. */

customElements.define("armillary-log", class extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".log-lines");
    this.button = this.querySelector("[data-follow]");
    this.following = this.hasAttribute("data-live") && !location.hash.startsWith("#log-");
    this.list.addEventListener("scroll", () => {
      this.following = this.atEnd();
      this.showButton();
    }, { passive: true });
    this.button.addEventListener("click", () => this.follow());
    if (this.following) this.follow();
  }

  atEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 24;
  }

  showButton() {
    this.button.hidden = this.following || !this.hasAttribute("data-live");
  }

  follow() {
    this.list.scrollTop = this.list.scrollHeight;
    this.following = true;
    this.showButton();
  }

  async fetchLater() {
    let more = true;
    while (more && this.isConnected) {
      const address = new URL(this.dataset.src, location.href);
      address.searchParams.set("after", this.dataset.cursor);
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(`the log answered ${answer.status}`);
      more = this.append(await answer.text());
    }
  }

  append(text) {
    const part = new DOMParser().parseFromString(text, "text/html").querySelector(".log-lines");
    if (!part) throw new Error("the log answered without lines");
    const fresh = [...part.children].filter((line) => !document.getElementById(line.id));
    this.list.append(...fresh);
    while (this.list.children.length > MOST_LINES) this.list.firstElementChild.remove();
    if (fresh.length) this.querySelector("[data-when-empty]").hidden = true;
    const moved = part.dataset.cursor !== this.dataset.cursor;
    this.dataset.cursor = part.dataset.cursor;
    if ("final" in part.dataset) delete this.dataset.live;
    if (this.following) this.follow();
    return moved && "more" in part.dataset;
  }
});

/* Small things: what only works with scripts appears, texts are copied, choices are kept. */

function reveal() {
  for (const element of all("[data-scripted][hidden]")) element.hidden = false;
}

function announce(text) {
  document.querySelector("[data-announce]").textContent = text;
}

async function copy(button) {
  if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy);
  else copyByHand(button.dataset.copy);
  button.classList.add("copied");
  announce("Copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
}

/* A page that came over plain HTTP from another machine has no clipboard object. */
function copyByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function prefer(name, value) {
  html.dataset[name] = value;
  document.cookie = `armillary_${name}=${value}; path=${body.dataset.base}; max-age=31536000; samesite=lax`;
  const choice = document.querySelector(`[data-preference][name="${name}"][value="${value}"]`);
  if (choice) choice.checked = true;
}

/* Two steps for what cannot be undone. */
const confirmed = new WeakSet();

function ask(element, event) {
  if (confirmed.delete(element)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-label", "Please confirm");
  const text = document.createElement("p");
  text.textContent = element.dataset.confirm;
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "chips";
  for (const [value, words, kind] of [["", "Keep", "plain"], ["yes", element.textContent.trim(), "danger"]]) {
    const button = document.createElement("button");
    button.value = value;
    button.className = `button button-${kind}`;
    button.textContent = words;
    form.append(button);
  }
  dialog.append(text, form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue !== "yes") return;
    confirmed.add(element);
    const sure = element.form?.elements.namedItem("confirm");
    if (sure) sure.value = "yes";
    element.click();
  });
  body.append(dialog);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-confirm]");
  if (asked) ask(asked, event);
}, { capture: true });
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-open]");
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.open) document.getElementById(button.dataset.open).showModal();
});
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-preference]")) prefer(field.name, field.value);
  if (field.matches("[data-autosubmit]")) field.form.requestSubmit();
  if (field.matches("[data-hotkeys-off]")) localStorage.setItem("armillary_hotkeys", field.checked ? "off" : "on");
});

/* Keys: elements say which by data-hotkey, several with spaces between are typed one by one. */

let typed = "";
let typedAt = 0;

function press(key) {
  typed = Date.now() - typedAt < 1000 ? `${typed} ${key}` : key;
  typedAt = Date.now();
  for (const wanted of [typed, key]) {
    const element = document.querySelector(`[data-hotkey="${CSS.escape(wanted)}"]`);
    if (!element) continue;
    typed = "";
    if (element.matches("input")) { element.focus(); element.select(); } else element.click();
    return true;
  }
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "t") return nextTheme();
  return false;
}

function step(by) {
  const rows = all("[data-row]");
  const here = rows.indexOf(document.activeElement?.closest("[data-row]"));
  const row = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by];
  row?.querySelector("a")?.focus();
  return Boolean(row);
}

function nextTheme() {
  const themes = ["system", "light", "dark"];
  prefer("theme", themes[(themes.indexOf(html.dataset.theme) + 1) % themes.length]);
  announce(`Theme: ${html.dataset.theme}`);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, [contenteditable], dialog, [popover]")) return;
  if (localStorage.getItem("armillary_hotkeys") === "off" && event.key !== "?") return;
  if (event.key.length === 1 && press(event.key)) event.preventDefault();
});

for (const box of all("[data-hotkeys-off]")) box.checked = localStorage.getItem("armillary_hotkeys") === "off";
reveal();
tick();
openStream();
setInterval(tick, 1000);
setInterval(poll, 1000);
