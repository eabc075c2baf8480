"use strict";
/* Sorting and filtering, by DataTables, of tables that are complete without it. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // numbers stand in data-order; a cell without one stays at the end in either direction
  const order = DataTable.ext.type.order;
  const last = (direction) => (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * (a - b);
  };
  order["known-pre"] = (text) => (String(text).trim() === "" || Number.isNaN(Number(text)) ? null : Number(text));
  order["known-asc"] = last(1);
  order["known-desc"] = last(-1);

  // the first line of each run of lines of one model is set apart
  const open = (table) => {
    let model = null;
    for (const row of table.rows({ search: "applied", order: "applied" }).nodes().toArray()) {
      row.classList.toggle("opens", row.dataset.model !== model);
      model = row.dataset.model;
    }
  };

  const sortable = (element) => {
    const table = new DataTable(element, {
      paging: false, info: false, autoWidth: false, orderClasses: false, order: [],
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
    });
    if (element.id === "main") table.on("draw", () => open(table));
    return table;
  };

  window.sortable = sortable;
  const tables = all("table.sortable").map(sortable);

  const form = document.getElementById("controls");
  const main = tables.find((table) => table.table().node().id === "main");
  if (!form || !main) return;

  const chosen = (name) => new Set(all(`input[name=${name}]:checked`, form).map((input) => input.value));

  const filter = () => {
    const [cols, families, methods, sizes] = ["col", "family", "method", "rows"].map(chosen);
    const total = form.elements.total.value;
    all("[data-col]").filter((element) => !element.closest("table")).forEach((element) => {
      element.hidden = !cols.has(element.dataset.col);
    });
    main.columns().every(function show() {
      const { col } = this.header().dataset;
      if (col !== undefined) this.visible(cols.has(col), false);
    });
    main.search.fixed("controls", (text, data, index) => {
      const row = main.row(index).node().dataset;
      return families.has(row.family) && methods.has(row.method) && (row.rows === undefined || sizes.has(row.rows))
        && (total === "" || (row.total !== "" && Number(row.total) <= Number(total)));
    });
    main.column(0).search(form.elements.find.value);
    main.draw();
    const shown = main.rows({ search: "applied" }).count();
    document.getElementById("tally").textContent = `${shown} of ${main.rows().count()} lines`;
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    main.order([]);
    filter();
  }));
  const filters = document.getElementById("filters");
  filters.hidden = false;
  filters.open = !window.matchMedia("(max-width: 40rem)").matches;
  filter();
})();
