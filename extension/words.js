// A report in words and as elements. All of it may come from a stranger's file, so all of it is text and never markup.

const VERDICTS = {
  ai: { symbol: "▲", short: "AI", headline: "Probably made by a generative model", fill: "#b4500b" },
  real: { symbol: "●", short: "photo", headline: "Probably a photograph", fill: "#1d5fc4" },
  inconclusive: { symbol: "?", short: "can't tell", headline: "Can't tell", fill: "#5b606a" },
  none: { symbol: "✕", short: "not judged", headline: "This file could not be judged", fill: "#b3261e" },
};
const LEANS = { ai: "leans generated; not enough to say so", real: "leans photograph; not enough to say so" };
const SAYS = { ai: "made or edited by a generative model", real: "a photograph", nothing: "nothing about how it was made" };
const OUTSIDE = ["too_small", "out_of_domain", "unlike_learnt", "model_error"];
const ON_THE_SCALE = ["pixels_ai", "pixels_real", "pixels_inconclusive"];
const MOST_CHARACTERS = 20_000;

// The words for a report: {kind, symbol, short, headline, fill, percent}.
export function finding(report) {
  const kind = Object.hasOwn(VERDICTS, report.verdict) ? report.verdict : "none";
  const counts = typeof report.probability === "number" && !report.reasons.some((reason) => OUTSIDE.includes(word(reason)));
  return { kind, ...VERDICTS[kind], percent: counts ? percent(report.probability) : "" };
}

export const PROBLEM = VERDICTS.none;
export const WAITING = { symbol: "…", short: "", fill: "#5b606a" };

function percent(probability) {
  if (probability > 0.999) {
    return "over 99.9 %";
  }
  return probability < 0.001 ? "under 0.1 %" : `${(100 * probability).toFixed(probability >= 0.01 && probability <= 0.99 ? 0 : 1)} %`;
}

function word(reason) {
  return String(reason).split(":", 1)[0];
}

export function element(tag, text = "", name = "") {
  const made = document.createElement(tag);
  made.textContent = String(text).slice(0, MOST_CHARACTERS);
  made.className = name;
  return made;
}

// Verdict, reasons and evidence of a report.
export function summary(report) {
  const { kind, symbol, headline, percent } = finding(report);
  const made = element("section");
  made.append(element("h2", `${symbol} ${headline}`, kind));
  if (Object.hasOwn(LEANS, report.lean)) {
    made.append(element("p", LEANS[report.lean], "lean"));
  }
  if (percent) {
    made.append(element("p", `Probability that it was generated, from its pixels alone: ${percent}`));
  }
  const reasons = report.reasons.filter((reason) => !ON_THE_SCALE.includes(word(reason)));
  if (reasons.length) {
    const list = made.appendChild(element("ul"));
    list.append(...reasons.map((reason) => element("li", sentence(reason))));
  }
  const telling = report.evidence.filter((piece) => piece?.says !== "nothing");
  made.append(element("h3", "What the file says"));
  if (!telling.length) {
    made.append(element("p", "Nothing in the file says how the picture was made. That is no sign of a photograph.", "soft"));
  }
  made.append(...telling.map(evidenceCard));
  made.append(element("p", "A verdict is likelihood, not proof.", "soft"));
  return made;
}

function sentence(reason) {
  const text = String(reason).replace(/^[a-z_]+: /, "");
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export function evidenceCard(piece) {
  const card = element("div", "", "evidence");
  card.append(element("b", String(piece?.source).replaceAll("_", " ")));
  card.append(element("span", ` says: ${SAYS[piece?.says] ?? piece?.says} (${piece?.trust})`));
  card.append(element("p", piece?.summary));
  return card;
}
