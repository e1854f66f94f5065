"use strict";
/* Records the key events of attempts at a text, sends each attempt when its last key is let go,
   and shows what the server makes of it. Nothing is kept here. */

const byId = (name) => document.getElementById(name);
const field = byId("field");
const LONGEST_WAIT = 2000; // ms for the last key to be let go, from the last event on

let state = null;
let clockStep = null;
let current = newAttempt();
let closing = null;
let queue = Promise.resolve();

function newAttempt() {
  return { events: [], down: new Set(), hasText: false, timer: 0 };
}

/* The step of the clock of events (ms): the least difference between two events made at once. */
function measureClock() {
  const end = performance.now() + 40;
  let last = new Event("tick").timeStamp;
  let least = Infinity;
  while (performance.now() < end) {
    const now = new Event("tick").timeStamp;
    if (now > last) { least = Math.min(least, now - last); last = now; }
  }
  return Number.isFinite(least) ? Math.round(least * 1e6) / 1e6 : 40;
}

const idOf = (event) => event.code || event.key;
const isText = (key) => [...key].length === 1 || ["Dead", "Process", "Unidentified"].includes(key);

function note(attempt, event) {
  const { type, timeStamp, key, code, repeat } = event;
  attempt.events.push({ type, timeStamp, key, code, repeat });
  if (type === "keydown") attempt.down.add(idOf(event)); else attempt.down.delete(idOf(event));
  if (type === "keydown" && isText(key)) attempt.hasText = true;
}

function begins(event) {
  const shortcut = event.metaKey || (event.ctrlKey !== event.altKey) && !event.getModifierState("AltGraph");
  return !event.repeat && !shortcut && (isText(event.key) || event.key === "Shift");
}

function onDown(event) {
  if (!event.isTrusted) return;
  if (closing && closing.down.has(idOf(event))) { note(closing, event); wait(); return; }
  if (!current.events.length && !begins(event)) return;
  note(current, event);
  if (event.key === "Enter" && !event.repeat) {
    if (closing) finish(closing);
    closing = current;
    current = newAttempt();
    field.value = "";
    wait();
  }
}

function onUp(event) {
  if (!event.isTrusted) return;
  const attempt = [closing, current].find((one) => one && one.down.has(idOf(event)));
  if (!attempt) return;
  note(attempt, event);
  if (attempt !== closing) return;
  if (closing.down.size) wait(); else finish(closing);
}

function wait() {
  clearTimeout(closing.timer);
  closing.timer = setTimeout(finish, LONGEST_WAIT, closing);
}

function finish(attempt) {
  clearTimeout(attempt.timer);
  if (attempt === closing) closing = null;
  const body = JSON.stringify({ events: attempt.events, clock_resolution_ms: clockStep });
  queue = queue.then(() => send(body));
}

function onLoss(type, event) {
  for (const attempt of [closing, current]) {
    if (!attempt || !attempt.hasText) continue;
    attempt.events.push({ type, timeStamp: event.timeStamp });
    finish(attempt);
  }
  current = newAttempt();
  field.value = "";
  showTyped();
}

async function ask(path, options) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

async function send(body) {
  try {
    const answer = await ask("attempts", {
      method: "POST", headers: { "Content-Type": "application/json" }, body,
    });
    show(answer.state, answer);
    showPicture(await ask("picture"));
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  const gone = error instanceof TypeError;
  byId("message").textContent = gone
    ? "The command 'hawkeys capture' answers no more; this attempt is lost. Start it again."
    : error.message;
  byId("message").className = "failed";
}

/* ---- what is shown ---- */

function make(name, attributes = {}, content = "") {
  const node = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = content;
  return node;
}

const signed = (value, digits) => value.toFixed(digits).replace("-", "\u2212");
const ms = (value) => `${signed(value, Math.abs(value) < 10 ? 1 : 0)} ms`;
const figure = (value) => Number(value.toPrecision(4)).toString();

function showTyped() {
  const typed = [...field.value];
  const text = [...state.text].map((character, place) => make("span", {
    class: place >= typed.length ? "" : typed[place] === character ? "right" : "wrong",
  }, character));
  byId("text").replaceChildren(...text, make("span", { class: "end" }, " \u21b5"));
}

function show(now, answer) {
  state = now;
  showTyped();
  const stored = now.stored ? `Attempts, wrong ones too, are appended to ${now.stored}.`
    : "Attempts are kept in memory only, until the command ends.";
  byId("where").textContent = `Everything stays on this machine. ${stored} `
    + `Your browser's clock has steps of ${clockStep} ms.`;
  const done = now.enrolled !== null;
  byId("progress").max = now.n_enrol;
  byId("progress").value = Math.min(now.n_samples, now.n_enrol);
  byId("progress").hidden = done;
  byId("count").textContent = done
    ? `Enrolled with ${now.enrolled} samples; each further attempt is judged.`
    : `${now.n_samples} of ${now.n_enrol} samples, in ${now.n_attempts} attempts.`;
  if (answer) {
    byId("message").textContent = answer.message;
    byId("message").className = answer.outcome === "sample" ? "" : "failed";
  }
  showDecision(answer && answer.decision, now);
  showMeaning(now);
  drawRhythm(now.rhythm, now.keys);
}

function showDecision(decision) {
  byId("decision").hidden = !decision;
  if (!decision) return;
  const word = decision.accepted ? "accepted" : "rejected";
  byId("verdict").textContent = `${word.toUpperCase()}: score ${figure(decision.score)}, `
    + `threshold ${figure(decision.threshold)} (accepted from there up)`;
  byId("verdict").className = word;
  byId("deviations").replaceChildren(...decision.deviations.map((one) => {
    const row = make("tr");
    const z = `${one.z >= 0 ? "+" : ""}${signed(one.z, 1)}`;
    row.append(make("td", {}, one.interval), make("td", {}, ms(one.ms)),
      make("td", {}, ms(one.usual_ms)), make("td", {}, z));
    return row;
  }));
}

function showMeaning(now) {
  byId("meaning").hidden = now.enrolled === null;
  if (now.enrolled === null) return;
  byId("meaning-text").textContent = `"Accepted" says that the rhythm of one attempt is as near to `
    + `${now.enrolled} samples as these are to each other, and not who typed. The threshold aims at `
    + `rejecting ${figure(100 * now.false_alarm)} % of attempts of the person who enrolled; others `
    + `who type alike are accepted, too. Deviations are in robust standard deviations of the `
    + `samples; with few samples these are known roughly.`;
  byId("notes").replaceChildren(...now.notes.map((text) => make("li", {}, text)));
}

const shown = (key) => ({ Return: "\u21b5", Space: "\u2423" })[key] || key;
const words = (mark) => mark.replace(/ (\S+)$/, (_, key) => ` ${shown(key)}`);

function clear(name, width, height, label) {
  const picture = byId(name);
  picture.replaceChildren();
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("aria-label", label);
  return picture;
}

/* Width of the pictures in their own units: letters keep their size on narrow pages. */
const room = () => Math.max(300, Math.min(900, byId("rhythm").clientWidth || 900));

function axis(picture, longest, left, width, bottom) {
  const step = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 60000]
    .find((one) => longest / one <= width / 60) || longest;
  const place = (value) => left + (width * value) / longest;
  for (let value = 0; value <= longest; value += step) {
    picture.append(
      make("svg:line", { class: "axis", x1: place(value), x2: place(value), y1: 0, y2: bottom }),
      make("svg:text", { x: place(value), y: bottom + 14, "text-anchor": "middle" },
        longest > 2000 ? `${value / 1000} s` : `${value} ms`));
  }
  return place;
}

function drawRhythm(rows, keys) {
  if (!rows.length) return;
  const width = room(), left = 46, top = 18, height = 20;
  const longest = 1.02 * Math.max(...rows.map((row) => Math.max(...row.release)));
  const bottom = top + height * rows.length;
  const picture = clear("rhythm", width, bottom + 20,
    `Rhythm of ${rows.length} samples; the latest took ${ms(Math.max(...rows.at(-1).release))}`);
  const place = axis(picture, longest, left, width - left - 20, bottom);
  rows.forEach((row, number) => {
    const y = top + height * number;
    const sign = row.accepted === false ? " \u2717" : "";
    picture.append(make("svg:text", { x: 0, y: y + 14 }, `${row.attempt}${sign}`));
    row.press.forEach((press, k) => {
      const long = Math.max(1, place(row.release[k]) - place(press));
      const bar = make("svg:rect", {
        class: row.accepted === false ? "bar rejected" : "bar",
        x: place(press), y: y + (k % 2 ? 9 : 2), width: long, height: 7, rx: 2,
      });
      const interval = `${shown(keys[k])}: ${ms(press)} to ${ms(row.release[k])}`;
      bar.append(make("svg:title", {}, interval));
      picture.append(bar);
    });
  });
  let end = -Infinity;
  rows.at(-1).press.forEach((press, k) => {
    if (place(press) - end < 8) return;
    end = place(press);
    picture.append(make("svg:text", { x: end, y: 12 }, shown(keys[k])));
  });
}

function showPicture(picture) {
  if (!picture) return;
  drawAdjacency(picture);
  drawLags(picture);
}

function drawAdjacency({ marks, edges }) {
  const width = room(), side = Math.min(width, 620), start = 86;
  const cell = (side - start) / marks.length;
  const every = Math.ceil(11 / cell);
  const svg = clear("adjacency", width, side + 4,
    `Adjacency of ${marks.length} events with ${edges.length} edges; the lags below list the strongest`);
  const span = cell * marks.length;
  svg.append(make("svg:rect", { class: "frame", x: start, y: start, width: span, height: span }));
  marks.forEach((mark, k) => {
    if (k % every) return;
    const at = start + cell * (k + 0.5);
    svg.append(make("svg:text", { x: start - 5, y: at + 4, "text-anchor": "end" }, words(mark)),
      make("svg:text", { transform: `translate(${at + 4} ${start - 5}) rotate(-90)` }, words(mark)));
  });
  for (const edge of edges) {
    const rect = make("svg:rect", {
      class: "cell", x: start + cell * edge.source, y: start + cell * edge.target,
      width: cell, height: cell, "fill-opacity": Math.min(1, Math.max(0.08, edge.weight)),
    });
    rect.append(make("svg:title", {},
      `${words(marks[edge.source])} \u2192 ${words(marks[edge.target])}: ${edge.weight.toFixed(2)}`));
    svg.append(rect);
  }
}

function drawLags({ marks, edges }) {
  const strongest = new Map();
  for (const edge of edges) {
    const known = strongest.get(edge.target);
    if (!known || known.weight < edge.weight) strongest.set(edge.target, edge);
  }
  const rows = [...strongest.values()].sort((one, other) => one.target - other.target);
  if (!rows.length) return;
  const width = room(), left = 168, height = 19, bottom = height * rows.length + 4;
  const longest = 1.05 * Math.max(...rows.map((row) => row.high_ms));
  const svg = clear("lags", width, bottom + 20, `Lags in milliseconds: ${rows.map((row) =>
    `${marks[row.source]} to ${marks[row.target]} ${row.median_ms.toFixed(0)}`).join(", ")}`);
  const place = axis(svg, longest, left, width - left - 26, bottom);
  rows.forEach((row, k) => {
    const y = height * k + 3, x = place(row.median_ms);
    const name = `${words(marks[row.source])} \u2192 ${words(marks[row.target])}`;
    svg.append(make("svg:text", { x: left - 8, y: y + 12, "text-anchor": "end" }, name),
      make("svg:rect", { class: "band", x: place(row.low_ms), y: y + 2, height: 12, rx: 3,
        width: place(row.high_ms) - place(row.low_ms) }),
      make("svg:line", { class: "median", x1: x, x2: x, y1: y, y2: y + 16 }));
  });
}

/* ---- start ---- */

async function start() {
  clockStep = measureClock();
  field.addEventListener("keydown", onDown);
  window.addEventListener("keyup", onUp, true);
  field.addEventListener("blur", (event) => onLoss("blur", event));
  document.addEventListener("visibilitychange", (event) => {
    if (document.visibilityState === "hidden") onLoss("hidden", event);
  });
  field.addEventListener("input", showTyped);
  field.addEventListener("paste", (event) => event.preventDefault());
  field.addEventListener("drop", (event) => event.preventDefault());
  try {
    show(await ask("state"), null);
    showPicture(await ask("picture"));
    field.disabled = false;
    field.focus();
  } catch (error) {
    fail(error);
  }
}

start();
