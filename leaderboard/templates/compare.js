"use strict";
/* Shows the comparison of two cells. All numbers are looked up in files that were made with the site. */
(() => {
  const UNKNOWN = -32768;
  const EXAMPLES = 10;
  const $ = (id) => document.getElementById(id);

  // a file is a script that hands over one value: a page from a disk may run scripts, but not read files
  const waiting = new Map();
  const loaded = new Map();
  window.board = (path, value) => waiting.get(path)(value);
  const load = (path) => {
    if (!loaded.has(path)) {
      loaded.set(path, new Promise((resolve, reject) => {
        waiting.set(path, resolve);
        const script = document.createElement("script");
        script.src = path;
        script.onerror = () => reject(new Error(`${path} is not there. Publish the board again.`));
        document.head.append(script);
      }));
    }
    return loaded.get(path);
  };

  const numbers = (text) => {
    const view = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    return Array.from({ length: view.byteLength / 2 }, (_, i) => view.getInt16(2 * i, true));
  };

  // whole numbers of 10^-digits, written without arithmetic that could round again
  const written = (code, digits, plus = false) => {
    if (code === UNKNOWN) return "–";
    const text = String(Math.abs(code)).padStart(digits + 1, "0");
    const sign = code < 0 ? "-" : plus ? "+" : "";
    return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
  };
  const chance = (thousandths) => (thousandths === 0 ? "< 0.001" : written(thousandths, 3));
  const told = (code) => code < 0;
  const chanceOf = (code) => chance(Math.abs(code) - 1);
  const turned = (code, turn) => (code === UNKNOWN ? code : turn ? -code : code);

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.map((child) => (typeof child === "number" ? String(child) : child)));
    return node;
  };

  // where the pair (i, j) stands among the pairs i < j, row by row
  const place = (n, i, j) => {
    const [low, high] = i < j ? [i, j] : [j, i];
    return (low * (2 * n - low - 1)) / 2 + (high - low - 1);
  };

  const difference = (from, at, turn) => {
    const [low, high] = turn ? ["high", "low"] : ["low", "high"];
    const code = (name) => turned(from[name][at], turn);
    return { value: code("value"), low: code(low), high: code(high) };
  };
  const interval = (found) => `[${written(found.low, 1)}, ${written(found.high, 1)}]`;

  const unpacked = (packed) => Object.fromEntries(Object.entries(packed).map(([name, text]) => [name, numbers(text)]));

  let groups = [];
  let last = 0;

  const named = (cell) => `${cell.model} ${cell.method}`;
  const title = (group) => [
    group.task, ...(groups.filter((g) => g.task === group.task && g.source !== group.source).length ? [group.source] : []),
    ...(groups.filter((g) => g.task === group.task && g.source === group.source).length > 1
      ? [`${group.rows ?? "unknown"} training rows`] : []),
  ].join(", ");

  const options = (select, texts) => select.replaceChildren(...texts.map((text, i) => make("option", { value: i }, text)));

  const fill = (group) => {
    const texts = group.cells.map((cell) => `${named(cell)}  ${cell.score}`);
    options($("a"), texts);
    options($("b"), texts);
  };

  const card = (letter, cell, group) => make("a", { class: "card", href: cell.page },
    make("span", { class: "card-task" }, `${letter}: ${cell.model} `, make("span", { class: "method" }, cell.method)),
    make("span", { class: "card-score" }, cell.score), make("span", { class: "card-metric" }, group.metric),
    make("span", { class: "card-note" }, cell.interval ? `95% interval ${cell.interval}` : "interval unknown"));

  const pairsOf = (group) => (group.cells.length * (group.cells.length - 1)) / 2;
  const counted = (count) => count.toLocaleString("en");

  const verdict = (group, one, other, found, alone, among) => {
    if (!told(alone)) return "Not told apart. That does not say that the two are equal.";
    const ahead = (found.value > 0) === group.higher;
    const better = `${named(ahead ? one : other)} is better than ${named(ahead ? other : one)}`;
    if (pairsOf(group) === 1) return `${better}.`;
    return told(among) ? `${better}, even when corrected for all ${counted(pairsOf(group))} pairs of the task.`
      : `${better}, if this is the one pair that you had in mind. Found by looking through the ${counted(pairsOf(group))} `
        + "pairs of the task, it may be chance.";
  };

  const row = (head, ...texts) => make("tr", {}, make("th", { scope: "row", class: "who" }, head),
    ...texts.map((text) => make("td", {}, text)));

  const searched = (pairs, at, turn) => {
    const [tuned, untuned] = [pairs.tuned[at], pairs.untuned[at]].map((code) => written(turned(code, turn), 1, true));
    if (pairs.tuned[at] === UNKNOWN) return [];
    const share = pairs.share[at] === UNKNOWN ? "" : `; ${pairs.share[at]}% of it due to search`;
    return [row("on validation rows, tuned", `${tuned} points; ${untuned} at the defaults${share}`)];
  };

  const facts = (group, i, j, pairs, found, at) => {
    const turn = i > j;
    const [won, lost] = turn ? [pairs.lost[at], pairs.won[at]] : [pairs.won[at], pairs.lost[at]];
    const count = pairsOf(group);
    return make("div", { class: "box", role: "region", tabindex: "0", "aria-label": "The difference" },
      make("table", { class: "detail narrow", id: "difference" }, make("tbody", {},
        row("difference, first less second", `${written(found.value, 1, true)} points`),
        row("95% interval", interval(found)),
        row("p, of this pair alone", chanceOf(pairs.p[at])),
        ...(count > 1 ? [row(`p, corrected for all ${counted(count)} pairs`, chanceOf(pairs.adjusted[at]))] : []),
        row("effect size", written(turned(pairs.effect[at], turn), 2, true)),
        ...searched(pairs, at, turn),
        row("ahead on test rows", `first ${written(won, 1)}%, second ${written(lost, 1)}% of ${group.test.toLocaleString("en")}`),
      )));
  };

  const heading = (...texts) => make("tr", {}, ...texts.map(([text, kind], i) => make("th", {
    scope: "col", ...(i === 0 ? { class: "who" } : {}), ...(kind === "word" ? { class: "text" } : {}), ...(kind === "number"
      ? { "data-type": "known", "data-order-sequence": '["desc","asc",""]' } : {}),
    ...(kind === "text" ? { "data-orderable": "false" } : {}),
  }, text)));

  const slices = (group, i, j, parts, one, other) => {
    const n = group.cells.length;
    const turn = i > j;
    const lines = group.slices.map(([column, value, rows], s) => {
      const at = (s * n * (n - 1)) / 2 + place(n, i, j);
      const plain = { value: one.slices[s] - other.slices[s] };
      const found = parts ? difference(parts, at, turn) : plain;
      return { column, value, rows, scores: [one.slices[s], other.slices[s]], found, code: parts ? parts.adjusted[at] : null };
    });
    lines.sort((a, b) => Math.abs(b.found.value) - Math.abs(a.found.value));
    const number = (code, text) => make("td", { "data-order": code }, text);
    const table = make("table", { class: "sortable detail", id: "slices-table" },
      make("thead", {}, heading(["slice"], ["by", "word"], ["rows", "number"], ["first", "number"], ["second", "number"],
        ["difference", "number"], ...(parts ? [["95%", "text"], ["p, corrected", "text"]] : []))),
      make("tbody", {}, ...lines.map((line) => make("tr", {},
        make("th", { scope: "row", class: "who" }, line.value.replaceAll("_", " ")), make("td", { class: "text" }, line.column),
        number(line.rows, line.rows.toLocaleString("en")),
        ...line.scores.map((score) => number(score, written(score, 1))),
        number(line.found.value, written(line.found.value, 1, true)),
        ...(parts ? [make("td", { class: "soft" }, interval(line.found)),
          make("td", told(line.code) ? { class: "told" } : {}, chanceOf(line.code))] : [])))));
    const note = parts ? "The largest difference first; corrected for the number of slices."
      : "The largest difference first. With so many cells, slices are not tested: these are scores only.";
    return make("section", { "aria-labelledby": "slices" }, make("h2", { id: "slices" }, "Where they differ most"),
      make("p", { class: "soft" }, note),
      make("div", { class: "box", role: "region", tabindex: "0", "aria-labelledby": "slices" }, table));
  };

  const example = (row, one, other, k) => make("article", { class: "example" },
    make("p", { class: "asked" }, make("span", { class: "soft" }, `row ${row[0]} `), row[1]),
    make("dl", {}, make("dt", {}, "truth"), make("dd", {}, row[2]),
      ...[["first", one], ["second", other]].flatMap(([name, cell]) => [make("dt", {}, name),
        make("dd", { class: "answer" }, cell.answers[k], make("span", { class: "soft" }, ` ${written(cell.scores[k], 1)}`))])));

  const examples = (group, rows, one, other, forFirst) => {
    const sign = (forFirst ? 1 : -1) * (group.higher ? 1 : -1);
    const gaps = rows.map((_, k) => [sign * (one.scores[k] - other.scores[k]), k]).filter(([gap]) => gap > 0);
    gaps.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    const [id, text] = forFirst ? ["for-first", "Where the first is right, or better"]
      : ["for-second", "Where the second is right, or better"];
    return make("section", { "aria-labelledby": id }, make("h2", { id }, text),
      make("p", { class: "soft" }, gaps.length ? `${Math.min(EXAMPLES, gaps.length)} of ${gaps.length} such rows, of the `
        + `${rows.length} on which the cells of this task differ most.` : "No such row among those that are kept."),
      make("div", { class: "examples" }, ...gaps.slice(0, EXAMPLES).map(([, k]) => example(rows[k], one, other, k))));
  };

  const left = (group) => (group.left
    ? `${group.left} cells of this task cannot be chosen: they have no score, or no answers to compare.` : "");

  const show = async () => {
    const group = groups[$("group").value];
    const [i, j] = [Number($("a").value), Number($("b").value)];
    const turn = (last += 1);
    const [a, b] = [group.cells[i], group.cells[j]];
    history.replaceState(null, "", `#a=${encodeURIComponent(a.key)}&b=${encodeURIComponent(b.key)}`);
    if (i === j) {
      $("result").replaceChildren();
      $("state").textContent = "Choose two different cells.";
      return;
    }
    const files = ["pairs", "rows", i, j, ...(group.tested ? ["slices"] : [])].map((name) => load(`${group.folder}/${name}.js`));
    try {
      const [packed, rows, one, other, parts] = await Promise.all(files);
      if (turn !== last) return;
      const pairs = unpacked(packed);
      const at = place(group.cells.length, i, j);
      const found = difference(pairs, at, i > j);
      const seeds = Math.min(a.seeds, b.seeds);
      $("result").replaceChildren(
        make("section", { class: "cards", "aria-label": "The cells" }, card("first", a, group), card("second", b, group)),
        make("p", { class: "verdict", id: "verdict" }, verdict(group, a, b, found, pairs.p[at], pairs.adjusted[at]),
          seeds < 2 ? " With a single seed this speaks for these very trainings, not for the methods." : ""),
        facts(group, i, j, pairs, found, at),
        ...(group.slices.length ? [slices(group, i, j, parts ? unpacked(parts) : null, one, other)] : []),
        examples(group, rows, one, other, true), examples(group, rows, one, other, false));
      $("state").textContent = left(group);
      const table = $("slices-table");
      if (table) window.sortable(table);
    } catch (error) {
      $("state").textContent = error.message;
    }
  };

  // an address may name cells that are not here, or that have nothing in common: another pair must not stand for them
  const unfit = (keys) => {
    const asked = keys.filter((key) => key);
    const at = asked.map((key) => groups.findIndex((group) => group.cells.some((cell) => cell.key === key)));
    const lost = asked.filter((_, i) => at[i] < 0);
    if (lost.length) return `No score with answers to compare is here of ${lost.join(" and ")}. Choose two cells.`;
    return new Set(at).size > 1 ? `${asked.join(" and ")} did not do the same task. Choose two cells of one task.` : "";
  };

  const choose = (keys) => {
    const why = unfit(keys);
    const at = groups.findIndex((group) => group.cells.some((cell) => cell.key === keys[0]));
    const group = groups[Math.max(at, 0)];
    $("group").value = String(Math.max(at, 0));
    fill(group);
    const [i, j] = keys.map((key) => group.cells.findIndex((cell) => cell.key === key));
    $("a").value = String(Math.max(i, 0));
    $("b").value = String(j >= 0 ? j : Math.max(i, 0) === 0 ? 1 : 0);
    if (!why) return show();
    last += 1;
    $("result").replaceChildren();
    $("state").textContent = why;
    return null;
  };

  const asked = () => {
    const found = new URLSearchParams(window.location.hash.slice(1));
    return [found.get("a"), found.get("b")];
  };

  const start = async () => {
    groups = (await load("data/cells.js")).filter((group) => group.cells.length > 1);
    if (!groups.length) {
      $("state").textContent = "No two cells of this run can be compared: their answers are not kept.";
      $("choose").hidden = true;
      return;
    }
    options($("group"), groups.map(title));
    $("group").addEventListener("change", () => choose([groups[$("group").value].cells[0].key, null]));
    for (const id of ["a", "b"]) $(id).addEventListener("change", show);
    $("swap").addEventListener("click", () => {
      [$("a").value, $("b").value] = [$("b").value, $("a").value];
      show();
    });
    window.addEventListener("hashchange", () => choose(asked()));
    await choose(asked());
  };
  start().catch((error) => { $("state").textContent = error.message; });
})();
