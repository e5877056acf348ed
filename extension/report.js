// The whole report on one picture, as the service gave it.

import { element, evidenceCard, summary } from "./words.js";

const main = document.querySelector("main");
const report = await fauxtoKept.kept("report");
if (report === undefined) {
  main.replaceChildren(element("p", "This report isn't kept any more: the browser was closed, or newer ones took its place. Check the picture again."));
} else {
  const other = report.evidence.filter((piece) => piece?.says === "nothing");
  const details = element("pre", JSON.stringify(report, null, 2));
  details.tabIndex = 0;
  const save = element("a", "Save as JSON");
  save.href = URL.createObjectURL(new Blob([JSON.stringify(report)], { type: "application/json" }));
  save.download = "report.json";
  main.replaceChildren(
    summary(report),
    element("h3", "What else was looked at"),
    ...other.map(evidenceCard),
    element("h3", "Facts"),
    facts(report),
    element("h3", "For programs"),
    save,
    details,
  );
}

function facts({ image, model, score, basis, stability, fpr_at_score: fpr, status }) {
  const list = element("dl");
  const rows = {
    Status: status,
    "The verdict rests on": basis,
    Size: image && `${image.width} × ${image.height}, ${image.format}`,
    "SHA-256 of the file": image?.sha256,
    Model: model && `${model.name} ${model.version}`,
    "Score of the pixels": score,
    "Photographs that score as high": fpr,
    "Re-encodings that changed the verdict": stability && `${stability.flips} of ${stability.of}`,
  };
  for (const [title, value] of Object.entries(rows)) {
    if (value !== null && value !== undefined) {
      list.append(element("dt", title), element("dd", value));
    }
  }
  return list;
}
