// Tells screen readers what came out, and brings the newest card into view, once.
const VERDICT = 260; // pixels from a card's top to the end of its verdict
const scrolledTo = new Set();

export default function ({ data, parentElement }) {
  const status = parentElement.querySelector("[role=status]");
  if (status.textContent !== data.status) status.textContent = data.status;
  if (data.newest && !scrolledTo.has(data.newest)) {
    scrolledTo.add(data.newest);
    show(data.newest, 20);
  }
}

function show(key, tries) {
  let card = document.querySelector(".st-key-" + key.replace(/[^a-zA-Z0-9_-]/g, "-"));
  card &&= document.querySelector(".st-key-tally") ?? card; // above rows of many, what came out of all
  if (!card) {
    if (tries) setTimeout(show, 100, key, tries - 1);
  } else if (card.getBoundingClientRect().top + VERDICT > innerHeight) {
    card.scrollIntoView({ block: "start" });
  }
}
