"use strict";
const order = new Intl.Collator(undefined, { numeric: true });

function compare(one, other, column) {
  const [a, b] = [one.cells[column], other.cells[column]];
  if ("sort" in a.dataset && "sort" in b.dataset) return a.dataset.sort - b.dataset.sort;
  return order.compare(a.textContent, b.textContent);
}

function sort(table, head) {
  const down = head.getAttribute("aria-sort") === (head.className === "number" ? "descending" : "ascending");
  const direction = (head.className === "number") === down ? "ascending" : "descending";
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].sort((a, b) => sign * compare(a, b, head.cellIndex));
  table.tBodies[0].append(...rows);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction);
}

function search(table, words, told) {
  const wanted = words.toLowerCase().split(/\s+/);
  let found = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
    found += !row.hidden;
  }
  told.textContent = words ? `${found} of ${table.tBodies[0].rows.length} rows` : "";
}

for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < 2) continue;
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
  const tools = table.closest(".listing").querySelector(".tools");
  if (table.tBodies[0].rows.length > 8) tools.hidden = false;
  const field = tools.querySelector("input");
  field.addEventListener("input", () => search(table, field.value, tools.querySelector("output")));
}

const still = document.getElementById("still");
if (still) {
  still.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
  still.addEventListener("click", () => {
    const stopped = still.getAttribute("aria-pressed") !== "true";
    still.setAttribute("aria-pressed", String(stopped));
    for (const source of document.querySelectorAll(".gallery source")) {
      source.media = stopped ? "all" : "(prefers-reduced-motion: reduce)";
    }
  });
}
