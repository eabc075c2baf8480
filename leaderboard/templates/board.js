"use strict";
/* Sorting and filtering of tables that are complete without it. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = new Intl.Collator("en", { numeric: true });

  const value = (row, place) => {
    const cell = row.cells[place];
    if (cell.tagName === "TH") return cell.textContent.trim();
    return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };

  // a cell without a value stays at the end in either direction
  const order = (place, direction) => (one, other) => {
    const [a, b] = [value(one, place), value(other, place)];
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * (typeof a === "string" ? words.compare(a, b) : a - b);
  };

  // the first line of each run of lines of one model is set apart
  const open = (table) => {
    let model = null;
    for (const row of table.tBodies[0].rows) {
      if (row.hidden) continue;
      row.classList.toggle("opens", row.dataset.model !== model);
      model = row.dataset.model;
    }
  };

  const sort = (table, head) => {
    const first = head.dataset.first;
    const now = head.getAttribute("aria-sort");
    const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
    all("[aria-sort]", table).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", next);
    const rows = [...table.tBodies[0].rows].sort(order(head.cellIndex, next === "ascending" ? 1 : -1));
    table.tBodies[0].append(...rows);
    open(table);
  };

  for (const table of all("table.sortable")) {
    [...table.tBodies[0].rows].forEach((row, place) => { row.dataset.place = place; });
    for (const head of all("thead th[data-first]", table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }

  const form = document.getElementById("controls");
  if (!form) return;
  const chosen = (name) => new Set(all(`input[name=${name}]:checked`, form).map((input) => input.value));

  const filter = () => {
    const [cols, families, methods, sizes] = ["col", "family", "method", "rows"].map(chosen);
    all("[data-col]").forEach((element) => { element.hidden = !cols.has(element.dataset.col); });
    all("tbody tr[data-model]").forEach((row) => {
      const { family, method, rows } = row.dataset;
      row.hidden = !families.has(family) || !methods.has(method) || (rows !== undefined && !sizes.has(rows));
    });
    const main = document.getElementById("main");
    const rows = [...main.tBodies[0].rows];
    document.getElementById("tally").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} lines`;
    open(main);
  };

  const restore = () => {
    for (const table of all("table.sortable")) {
      all("[aria-sort]", table).forEach((th) => th.removeAttribute("aria-sort"));
      const rows = [...table.tBodies[0].rows].sort((a, b) => a.dataset.place - b.dataset.place);
      table.tBodies[0].append(...rows);
    }
    filter();
  };

  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(restore));
  const filters = document.getElementById("filters");
  filters.hidden = false;
  filters.open = !window.matchMedia("(max-width: 40rem)").matches;
  filter();
})();
