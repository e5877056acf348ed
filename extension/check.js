// The window for one picture, or for all of a page: fetches them, asks the service, shows what it says.

import { fetched, inPage } from "./pictures.js";
import { analyze } from "./service.js";
import { element, finding, PROBLEM, summary, WAITING } from "./words.js";

const LEAST_PIXELS = 32; // what the smallest model takes
const MOST_PICTURES = 200;
const AT_ONCE = 3;

const main = document.querySelector("main");
const job = await started(`job:${location.hash.slice(1)}`);
await (job === undefined ? show(element("p", "This check is over; start it from the page again.")) : job.all ? checkAll() : checkOne());
document.body.dataset.done = "yes";

async function started(name) {
  return (await chrome.storage.session.get(name))[name];
}

function show(...elements) {
  main.replaceChildren(...elements);
}

async function checkOne() {
  const status = element("p", "Fetching the picture …", "status");
  show(status);
  const { picture, problem, origin } = await fetched(job.url, job.tab, job.frame);
  if (!picture) {
    show(element("h2", "✕ Not checked", "none"), element("p", problem), ...(origin ? [allowButton([origin], checkOne)] : []));
    return;
  }
  status.textContent = "Asking the service …";
  const answer = await analyze(picture);
  const seen = preview(picture);
  if (answer.problem) {
    show(seen, element("h2", "✕ Not checked", "none"), element("p", answer.problem), settingsLink());
    return;
  }
  show(seen, summary(answer.report), await reportLink(answer.report));
}

async function checkAll() {
  let listed;
  try {
    listed = await inPage(job.tab, 0, "list", LEAST_PIXELS, MOST_PICTURES);
  } catch {
    show(element("p", "The browser lets no extension read this page."));
    return;
  }
  const { urls, small, unloaded, more } = listed;
  const status = element("p", "", "status");
  const list = element("ol", "", "pictures");
  show(element("h2", `${urls.length} pictures`), status, list);
  const counts = {};
  const refused = new Map(); // what the user could allow: by origin, which pictures
  const waiting = urls.map((_, number) => number);
  const rows = urls.map(() => list.appendChild(element("li")));
  let refusal = ""; // of the service, for all pictures

  async function work() {
    while (waiting.length) {
      const number = waiting.shift();
      refusal = refusal || (await checkListed(number, urls[number], rows[number], counts, refused)) || refusal;
      if (refusal && !rows[number].querySelector("span")) {
        await place(number, rows[number], PROBLEM, "Not checked", counts, "not checked");
      }
      const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
      status.textContent = `${done} of ${urls.length}: ` + Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const notes = [refusal, small ? `Left out under ${LEAST_PIXELS} pixels: ${small}` : "", unloaded ? `Not loaded yet: ${unloaded}; scroll there and check again` : "", more ? `Left out beyond ${MOST_PICTURES}: ${more}` : ""];
  status.after(...notes.filter(Boolean).map((note) => element("p", note, "note")), ...(refusal ? [settingsLink()] : []));
  if (refused.size) {
    status.after(element("p", `Some come from other sites: ${[...refused.keys()].join(", ")}`, "note"), allowButton([...refused.keys()], checkAll));
  }
}

// Checks one picture of the list, and returns what is wrong with the service, if it is.
async function checkListed(number, url, row, counts, refused) {
  await badge(number, WAITING.symbol, "fauxto is checking this picture", WAITING.fill);
  const { picture, problem, origin } = await fetched(url, job.tab, 0);
  if (origin) {
    refused.set(origin, true);
  }
  if (!picture) {
    await place(number, row, PROBLEM, problem, counts, "not judged");
    return "";
  }
  row.append(preview(picture));
  const answer = await analyze(picture);
  if (answer.always) {
    return answer.problem;
  }
  if (answer.problem) {
    await place(number, row, PROBLEM, answer.problem, counts, "not judged");
    return "";
  }
  const found = finding(answer.report);
  await place(number, row, found, found.percent ? `${found.headline} (probability of AI: ${found.percent})` : found.headline, counts, found.short);
  row.append(await reportLink(answer.report));
  return "";
}

async function place(number, row, found, words, counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
  row.append(element("span", `${found.symbol} ${words}`, found.kind ?? "none"));
  await badge(number, `${found.symbol} ${found.short}`, `fauxto: ${words}`, found.fill);
}

async function badge(...args) {
  try {
    await inPage(job.tab, 0, "badge", ...args);
  } catch {
    // the page was closed or left: the list here stays
  }
}

function preview(picture) {
  const seen = element("img");
  seen.alt = "";
  seen.src = URL.createObjectURL(picture);
  seen.addEventListener("error", () => seen.remove());
  return seen;
}

async function reportLink(report) {
  const id = crypto.randomUUID();
  const link = element("a", "Full report");
  try {
    await chrome.storage.session.set({ [`report:${id}`]: report });
    link.href = `report.html#${id}`;
    link.target = "_blank";
  } catch {
    return element("span", "The full report is too long to keep.", "soft"); // the browser keeps 10 MB
  }
  return link;
}

function settingsLink() {
  const link = element("a", "Settings");
  link.href = "options.html";
  link.target = "_blank";
  return link;
}

function allowButton(origins, again) {
  const button = element("button", origins.length === 1 ? `Allow reading pictures from ${new URL(origins[0]).host}` : "Allow these sites");
  button.addEventListener("click", async () => {
    if (await chrome.permissions.request({ origins })) {
      await again();
    }
  });
  return button;
}
