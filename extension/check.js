// The window for one picture, or for all of a page: fetches them, asks the service, shows what it says.

import { fetched, inPage, listed } from "./pictures.js";
import { analyze } from "./service.js";
import { element, finding, PROBLEM, summary, WAITING } from "./words.js";

const LEAST_PIXELS = 32; // what the smallest model takes
const MOST_PICTURES = 200;
const AT_ONCE = 3;
const MOST_NAMED = 5;
const UNKEPT = "The browser had no room for what is to be checked; the picture may be written into the page itself and be too large. Save the picture, and use fauxto check.";

const main = document.querySelector("main");
const job = await fauxtoKept.kept("job");
await (job === undefined ? show(element("p", location.hash === "#unkept" ? UNKEPT : "This check is over; start it from the page again.")) : job.all ? checkAll() : checkOne());
document.body.dataset.done = "yes";

function show(...elements) {
  main.replaceChildren(...elements);
}

async function checkOne() {
  const status = element("p", "Fetching the picture …", "status");
  show(status);
  const { picture, problem, origin } = await fetched(job.url, job.tab, job.frame);
  if (!picture) {
    show(element("h2", "✕ Not checked", "none"), element("p", problem), ...(origin ? [allowButton([origin], "reading pictures", checkOne)] : []));
    return;
  }
  status.textContent = "Asking the service …";
  const answer = await analyze(picture);
  const seen = preview(picture);
  if (answer.problem) {
    show(seen, element("h2", "✕ Not checked", "none"), element("p", answer.problem), settingsLink());
    return;
  }
  show(seen, summary(answer.report), reportButton(answer.report));
}

async function checkAll() {
  let all;
  try {
    all = await listed(job.tab, LEAST_PIXELS, MOST_PICTURES);
  } catch {
    show(element("p", "The browser lets no extension read this page."));
    return;
  }
  const { pictures, small, unloaded, more, closed } = all;
  const status = element("p", "", "status");
  const list = element("ol", "", "pictures");
  show(element("h2", `${pictures.length} pictures`), status, list);
  const counts = {};
  const refused = new Map(); // what the user could allow: by origin, which pictures
  const waiting = pictures.map((picture) => ({ ...picture, row: list.appendChild(element("li")) }));
  let refusal = ""; // of the service, for all pictures

  async function work() {
    while (waiting.length) {
      const picture = waiting.shift();
      refusal = refusal || (await checkListed(picture, counts, refused)) || refusal;
      if (refusal && !picture.row.querySelector("span")) {
        await place(picture, PROBLEM, "Not checked", counts, "not checked");
      }
      const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
      status.textContent = `${done} of ${pictures.length}: ` + Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const notes = [refusal, small ? `Left out under ${LEAST_PIXELS} pixels: ${small}` : "", unloaded ? `Not loaded yet: ${unloaded}; scroll there and check again` : "", more ? `Left out beyond ${MOST_PICTURES}: ${more}` : ""];
  status.after(...notes.filter(Boolean).map((note) => element("p", note, "note")), ...(await closedFrames(closed)), ...(refusal ? [settingsLink()] : []));
  if (refused.size) {
    status.after(element("p", `Some come from other sites: ${[...refused.keys()].join(", ")}`, "note"), allowButton([...refused.keys()], "reading pictures", checkAll));
  }
}

// Says how many frames couldn't be looked into, and asks for those that the user may allow.
async function closedFrames(closed) {
  if (!closed.length) {
    return [];
  }
  const origins = [...new Set(closed.filter(Boolean))];
  const names = origins.slice(0, MOST_NAMED).map((origin) => new URL(origin).host).join(", ") + (origins.length > MOST_NAMED ? ", …" : "");
  const patterns = origins.map((origin) => `${origin}/*`);
  const allowed = await Promise.all(patterns.map((pattern) => chrome.permissions.contains({ origins: [pattern] })));
  const askable = patterns.filter((_, number) => !allowed[number]);
  const note = element("p", `Frames of this page that couldn't be looked into: ${closed.length}${names && ` (${names})`}`, "note");
  return askable.length ? [note, allowButton(askable, "looking into frames", checkAll)] : [note];
}

// Checks one picture of the list, and returns what is wrong with the service, if it is.
async function checkListed(listed, counts, refused) {
  await badge(listed, WAITING.symbol, "fauxto is checking this picture", WAITING.fill);
  const { picture, problem, origin } = await fetched(listed.url, job.tab, listed.frame);
  if (origin) {
    refused.set(origin, true);
  }
  if (!picture) {
    await place(listed, PROBLEM, problem, counts, "not judged");
    return "";
  }
  listed.row.append(preview(picture));
  const answer = await analyze(picture);
  if (answer.always) {
    return answer.problem;
  }
  if (answer.problem) {
    await place(listed, PROBLEM, answer.problem, counts, "not judged");
    return "";
  }
  const found = finding(answer.report);
  await place(listed, found, found.percent ? `${found.headline} (probability of AI: ${found.percent})` : found.headline, counts, found.short);
  listed.row.append(reportButton(answer.report));
  return "";
}

async function place(listed, found, words, counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
  listed.row.append(element("span", `${found.symbol} ${words}`, found.kind ?? "none"));
  await badge(listed, `${found.symbol} ${found.short}`, `fauxto: ${words}`, found.fill);
}

async function badge({ frame, number }, ...args) {
  try {
    await inPage(job.tab, frame, "badge", number, ...args);
  } catch {
    // the page or frame was closed or left: the list here stays
  }
}

function preview(picture) {
  const seen = element("img");
  seen.alt = "";
  seen.src = URL.createObjectURL(picture);
  seen.addEventListener("error", () => seen.remove());
  return seen;
}

// Keeps a report for its own page only when it is asked for: of a page with 200 pictures, few are.
function reportButton(report) {
  const button = element("button", "Full report", "link");
  button.addEventListener("click", async () => {
    try {
      await chrome.tabs.create({ url: `report.html#${await fauxtoKept.keep("report", report)}` });
    } catch {
      button.replaceWith(element("span", "The browser has no room for the full report. The verdict here stands.", "soft"));
    }
  });
  return button;
}

function settingsLink() {
  const link = element("a", "Settings");
  link.href = "options.html";
  link.target = "_blank";
  return link;
}

function allowButton(origins, what, again) {
  const from = origins.length === 1 ? new URL(origins[0]).host : "these sites";
  const button = element("button", `Allow ${what} from ${from}`);
  button.addEventListener("click", async () => {
    if (await chrome.permissions.request({ origins })) {
      await again();
    }
  });
  return button;
}
