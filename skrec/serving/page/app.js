"use strict";

// The page of a service: everything is text, set by textContent, so that ids and titles are never read as HTML.

const MOST = 100; // items to ask for when a filter hides some
const WHY = {
  history: "Because of ",
  similar: "Similar to ",
  popular: "Popular",
};
const state = { about: null, excluded: new Map(), turn: 0 };
const byId = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function ask(path, body) {
  const headers = {};
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  const options = { headers };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body });
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The service does not answer. Is it still running?");
  }
  if (answer.status === 401) {
    byId("login").hidden = false;
    throw new Error(token ? "The token is wrong." : "Enter the token of the service.");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.detail || `The service answered ${answer.status}.`);
  return found;
}

function showMessage(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

// The id of a user as JSON. Integers stay text: those above 2^53 would change as numbers of JavaScript.
function userAsJson(text) {
  const kind = state.about.user_ids;
  if (kind === "integer" && /^-?\d+$/.test(text)) return text;
  if (kind === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return String(Number(text));
  if (kind === "any" && /^-?\d+$/.test(text)) return text;
  if (kind === "integer" || kind === "number") throw new Error(`“${text}” is not a user: the ids of users are ${kind}s.`);
  return JSON.stringify(text);
}

const nameOf = (entry) => (entry.title === undefined ? String(entry.item) : entry.title);

function fits(entry) {
  const wanted = byId("filter").value.trim().toLowerCase();
  return !wanted || `${nameOf(entry)}\n${entry.item}`.toLowerCase().includes(wanted);
}

function titleOf(entry) {
  const made = element("span", "title", nameOf(entry));
  if (entry.title !== undefined) made.append(" ", element("span", "id", String(entry.item)));
  return made;
}

function reason(why) {
  if (!why) return "";
  return WHY[why.kind] + why.items.map(nameOf).join(", ");
}

function section(title, about, className, entries, draw, empty) {
  const made = element("section", className);
  made.append(element("h2", "", title), element("p", "about", about));
  const list = element("ol");
  list.append(...entries.map(draw));
  made.append(entries.length ? list : element("p", "empty", empty));
  return made;
}

function recommendation(entry, best, least, shared) {
  const row = element("li");
  row.append(element("span", "rank", String(entry.rank)), titleOf(entry));
  row.append(element("span", "number", entry.score.toPrecision(3)));
  const bar = element("div", "score");
  const filled = element("span");
  filled.style.width = `${best > least ? 8 + (92 * (entry.score - least)) / (best - least) : 100}%`;
  bar.append(filled);
  row.append(bar);
  const exclude = element("button", "exclude", "✕");
  exclude.type = "button";
  exclude.title = "Exclude this item";
  exclude.setAttribute("aria-label", `Exclude ${nameOf(entry)}`);
  exclude.addEventListener("click", () => {
    state.excluded.set(JSON.stringify(entry.item), entry);
    recommend();
  });
  const why = element("span", "why", reason(entry.why));
  if (shared) why.append(why.textContent ? " · " : "", element("span", "both", "in both lists"));
  row.append(exclude, why);
  return row;
}

function showExcluded() {
  const place = byId("excluded");
  place.replaceChildren();
  place.hidden = !state.excluded.size;
  if (!state.excluded.size) return;
  place.append("Excluded:");
  for (const [key, entry] of state.excluded) {
    const back = element("button", "", `${nameOf(entry)} ↺`);
    back.type = "button";
    back.title = "Allow this item again";
    back.addEventListener("click", () => {
      state.excluded.delete(key);
      recommend();
    });
    place.append(back);
  }
}

function requestBody(user, name, k) {
  const parts = [`"users":[${user}]`, `"k":${k}`, `"model":${JSON.stringify(name)}`, `"why":true`];
  parts.push(`"exclude_seen":${!byId("seen").checked}`);
  if (state.excluded.size) parts.push(`"exclude":[${[...state.excluded.keys()].map((item) => `[${user},${item}]`)}]`);
  return `{${parts}}`;
}

async function recommend() {
  const text = byId("user").value;
  if (!state.about || text === "") return;
  const turn = ++state.turn;
  showMessage("");
  showExcluded();
  try {
    const user = userAsJson(text);
    const names = Object.keys(state.about.models);
    const shown = Math.min(50, Math.max(1, Math.trunc(Number(byId("k").value)) || 10));
    const k = byId("filter").value.trim() ? MOST : shown;
    const [history, ...lists] = await Promise.all([
      ask(`/history?user=${encodeURIComponent(text)}`),
      ...names.map((name) => ask("/recommend", requestBody(user, name, k))),
    ]);
    if (turn !== state.turn) return; // a later request has overtaken this one
    draw(names, history, lists.map((list) => list.results[0].items.filter(fits).slice(0, shown)));
    window.history.replaceState(null, "", `#${encodeURIComponent(text)}`);
  } catch (error) {
    if (turn === state.turn) showMessage(error.message);
  }
}

function draw(names, past, lists) {
  const kept = past.items.filter(fits);
  const count = `${past.count} ${past.count === 1 ? "item" : "items"}`;
  const columns = [
    section(
      "History", past.count ? count + (past.ordered ? ", the latest first" : "") : "", "history",
      kept.slice(0, 50), (entry) => { const row = element("li"); row.append(titleOf(entry)); return row; },
      past.count ? "No item fits the filter." : "The model does not know this user.",
    ),
  ];
  const inAll = (item) => lists.length > 1 && lists.every((list) => list.some((entry) => entry.item === item));
  lists.forEach((list, at) => {
    const scores = list.map((entry) => entry.score);
    const [best, least] = [Math.max(...scores), Math.min(...scores)];
    columns.push(section(
      state.about.models[names[at]].class, lists.length > 1 ? `Model “${names[at]}”` : "Best first, with scores and reasons", "recommended",
      list, (entry) => recommendation(entry, best, least, inAll(entry.item)), "No item is left to recommend.",
    ));
  });
  byId("columns").replaceChildren(...columns);
}

async function begin() {
  try {
    state.about = await ask("/about");
  } catch (error) {
    showMessage(error.message);
    return;
  }
  byId("login").hidden = true;
  showMessage("");
  const models = Object.values(state.about.models);
  if (!models[0].offers.includes("recommend")) {
    showMessage(`${models[0].class} does not recommend: use /predict.`);
    return;
  }
  byId("models").textContent = models
    .map((model) => model.class + (model.items === undefined ? "" : `: ${model.users.toLocaleString("en")} users, ${model.items.toLocaleString("en")} items`))
    .join(" · ");
  const users = models[0].some_users || [];
  byId("users").replaceChildren(...users.map((user) => { const made = element("option"); made.value = user; return made; }));
  const asked = location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : users[0];
  if (asked !== undefined) byId("user").value = asked;
  recommend();
}

byId("controls").addEventListener("submit", (event) => { event.preventDefault(); recommend(); });
byId("user").addEventListener("change", () => { state.excluded.clear(); recommend(); });
for (const id of ["k", "seen"]) byId(id).addEventListener("change", recommend);
let waiting;
byId("filter").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(recommend, 250); });
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", byId("token").value);
  byId("token").value = "";
  begin();
});
begin();
