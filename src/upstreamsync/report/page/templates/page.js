
"use strict";
(() => {
  // What the page holds is read when somebody first asks for it; texts reach the page as text alone.
  let read = null;
  const data = () => read ??= JSON.parse(document.getElementById("data").textContent);
  const CONTEXT = 3, ROWS = 150, CELLS = 4e6;

  const make = (name, properties = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "class") element.className = value;
      else if (key.includes("-") || key === "scope" || key === "colspan") element.setAttribute(key, value);
      else element[key] = value;
    }
    element.append(...children);
    return element;
  };

  // -- two texts side by side ------------------------------------------------------------------------

  // Pairs of equal lines [i, j]: those at both ends; between them by a table, or by lines that are unique.
  function equal(a, b, from, to, upTo, until, found) {
    const tail = [];
    while (from < upTo && to < until && a[from] === b[to]) found.push([from++, to++]);
    while (upTo > from && until > to && a[upTo - 1] === b[until - 1]) tail.push([--upTo, --until]);
    if ((upTo - from) * (until - to) <= CELLS) table(a, b, from, to, upTo, until, found);
    else {
      const run = anchors(a, b, from, to, upTo, until);
      for (const [i, j] of run) {
        equal(a, b, from, to, i, j, found);
        found.push([i, j]);
        [from, to] = [i + 1, j + 1];
      }
      if (run.length) equal(a, b, from, to, upTo, until, found);
    }
    found.push(...tail.reverse());
  }

  function anchors(a, b, from, to, upTo, until) {
    const count = (lines, start, end) => {
      const seen = new Map();
      for (let n = start; n < end; n++) seen.set(lines[n], seen.has(lines[n]) ? -1 : n);
      return seen;
    };
    const mine = count(a, from, upTo), others = count(b, to, until), pairs = [];
    for (const [line, i] of mine) {
      const j = others.get(line);
      if (i >= 0 && j !== undefined && j >= 0) pairs.push([i, j]);
    }
    pairs.sort((one, other) => one[0] - other[0]);
    const ends = [], previous = [];  // the longest run of pairs in which both numbers grow
    pairs.forEach(([, j], n) => {
      let low = 0, high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (pairs[ends[middle]][1] < j) low = middle + 1; else high = middle;
      }
      previous[n] = low ? ends[low - 1] : -1;
      ends[low] = n;
    });
    const run = [];
    for (let n = ends.length ? ends[ends.length - 1] : -1; n >= 0; n = previous[n]) run.push(pairs[n]);
    return run.reverse();
  }

  function table(a, b, from, to, upTo, until, found) {
    const wide = until - to + 1, lengths = new Uint32Array((upTo - from + 1) * wide);
    for (let i = upTo - from - 1; i >= 0; i--) {
      for (let j = until - to - 1; j >= 0; j--) {
        lengths[i * wide + j] = a[from + i] === b[to + j]
          ? lengths[(i + 1) * wide + j + 1] + 1
          : Math.max(lengths[(i + 1) * wide + j], lengths[i * wide + j + 1]);
      }
    }
    let i = 0, j = 0;
    while (i < upTo - from && j < until - to) {
      if (a[from + i] === b[to + j]) found.push([from + i++, to + j++]);
      else if (lengths[(i + 1) * wide + j] >= lengths[i * wide + j + 1]) i++;
      else j++;
    }
  }

  // Rows [i, j, same?]; null where one side has nothing beside the other.
  function rowsOf(a, b) {
    const found = [], rows = [];
    equal(a, b, 0, 0, a.length, b.length, found);
    let i = 0, j = 0;
    for (const [nextI, nextJ] of [...found, [a.length, b.length]]) {
      for (let n = 0; n < Math.max(nextI - i, nextJ - j); n++)
        rows.push([i + n < nextI ? i + n : null, j + n < nextJ ? j + n : null, false]);
      if (nextI < a.length && nextJ < b.length) rows.push([nextI, nextJ, true]);
      i = nextI + 1;
      j = nextJ + 1;
    }
    return rows;
  }

  const markAt = (marks, line) => marks.find(([first, last]) => line + 1 >= first && line + 1 <= last);

  function words(own, other) {
    if (other === null || own === other) return [own];
    let start = 0, end = 0;
    const most = Math.min(own.length, other.length);
    while (start < most && own[start] === other[start]) start++;
    while (end < most - start && own[own.length - 1 - end] === other[other.length - 1 - end]) end++;
    if (start + end < own.length / 4) return [own];
    return [own.slice(0, start), make("span", {class: "word"}, own.slice(start, own.length - end)), own.slice(own.length - end)];
  }

  function cells(line, text, other, sign, side, marks) {
    if (line === null) return [make("td", {class: `number ${side}`}), make("td", {class: `code void ${side}`})];
    const mark = markAt(marks, line), tone = sign === "-" ? " gone" : sign === "+" ? " come" : "";
    const code = make("td", {class: `code ${side}${tone}${mark ? " marked" : ""}`, "data-sign": sign}, ...words(text, other));
    if (mark && line + 1 === mark[0]) code.append(make("span", {class: "tag"}, mark[2] ? "◂ what it is about" : "◂ below here"));
    return [make("td", {class: `number ${side}`}, String(line + 1)), code];
  }

  function drawDiff(name, before, after, marksBefore, marksAfter) {
    const split = text => text.replace(/\n$/, "").split("\n");
    const both = before !== null && after !== null;
    const a = before === null ? [] : split(before), b = after === null ? [] : split(after);
    let rows = both ? rowsOf(a, b)
      : before !== null ? a.map((_, n) => [n, null, false]) : b.map((_, n) => [null, n, false]);
    const body = make("tbody"), sides = both ? ["before", "after"] : [before === null ? "only after" : "only before"];
    const head = make("tr", {}, ...sides.flatMap(side => [make("th", {scope: "col", class: "number"}, "line"), make("th", {scope: "col"}, side)]));
    const columns = sides.flatMap(() => [make("col", {class: "number"}), make("col")]);
    const diff = make("table", {class: "diff"}, make("caption", {}, name), make("colgroup", {}, ...columns), make("thead", {}, head), body);

    const row = ([i, j, same]) => {
      const line = make("tr", {class: same ? "same" : "differs"});
      if (both || before !== null) line.append(...cells(i, a[i], same || j === null ? null : b[j], same || !both ? " " : "-", "left", marksBefore));
      if (both || before === null) line.append(...cells(j, b[j], same || i === null ? null : a[i], same || !both ? " " : "+", "right", marksAfter));
      return line;
    };
    const more = (count, words, draw) => {
      const button = make("button", {type: "button"}, `${count} ${words}`);
      const line = make("tr", {class: "more"}, make("td", {class: "more", colspan: String(2 * sides.length)}, button));
      button.addEventListener("click", () => line.replaceWith(...draw()));
      return line;
    };
    const shown = rows.map(([i, j, same]) => !both || !same || (i !== null && markAt(marksBefore, i)) || (j !== null && markAt(marksAfter, j)));
    const near = new Uint8Array(rows.length);
    shown.forEach((is, n) => { if (is) near.fill(1, Math.max(0, n - CONTEXT), n + CONTEXT + 1); });
    if (!near.includes(1)) near.fill(1, 0, 40);  // the same on both sides, and nothing in it is marked
    const drawn = [];
    for (let n = 0; n < rows.length;) {
      let end = n;
      while (end < rows.length && !near[end]) end++;
      if (end - n > 2) {
        const hidden = rows.slice(n, end);
        drawn.push(() => more(hidden.length, "equal lines", () => hidden.slice(0, 5000).map(row)));
        n = end;
      } else {
        const one = rows[n++];
        drawn.push(() => row(one));
      }
    }
    const some = from => {
      const lines = drawn.slice(from, from + ROWS).map(draw => draw());
      const left = drawn.length - from - ROWS;
      if (left > 0) lines.push(more(left, "more lines", () => some(from + ROWS)));
      return lines;
    };
    body.append(...some(0));
    return diff;
  }

  const text = number => number === null ? null : data().texts[number];
  const drawObject = ([name, , before, after, marksBefore, marksAfter]) =>
    drawDiff(name, text(before), text(after), marksBefore, marksAfter);

  // -- what is drawn when it is opened ---------------------------------------------------------------

  const drawers = {
    finding(number) {
      const one = data().findings[number], parts = [];
      if (one.excerpt) {
        const [file, line, written, note] = one.excerpt;
        parts.push(make("p", {class: "part"}, "In ", make("code", {}, `${file}:${line}`), ":"));
        if (written === null) parts.push(make("p", {class: "note"}, note));
        else {
          const lines = data().texts[written].split("\n").map((line_, n) => make("tr", {},
            make("td", {class: "number"}, String(line + n)), make("td", {class: "code", "data-sign": " "}, line_)));
          parts.push(make("table", {class: "diff"}, make("colgroup", {}, make("col", {class: "number"}), make("col")), make("tbody", {}, ...lines)));
        }
      }
      if (one.fix) {
        parts.push(make("p", {class: "part"}, `A correction: ${one.fix[0]}. upstreamsync verify --fix writes it.`));
        parts.push(drawDiff("the file now, and corrected", text(one.fix[1]), text(one.fix[2]), [], []));
      }
      for (const object of one.objects) {
        const [name, op] = object;
        const said = {added: " is new:", removed: " is gone:", changed: " before and after:", same: " is the same before and after:"}[op];
        parts.push(make("p", {class: "part"}, make("code", {}, name), said), drawObject(object));
      }
      return parts;
    },
    overlay(number) {
      const {objects, well} = data().overlays[number], parts = [], kinds = new Map();
      objects.forEach((object, n) => {
        const kind = object[0].split(" ").slice(0, 2).reverse().join(", ");
        if (!kinds.has(kind)) kinds.set(kind, []);
        kinds.get(kind).push(n);
      });
      for (const [kind, members] of kinds) {
        const list = make("div", {}, ...members.map(n => {
          const [name, op] = objects[n], words = name.split(" ");
          return lazy(make("details", {class: "object lazy"},
            make("summary", {}, make("span", {class: `op ${op}`}, op), " ", make("code", {}, words.slice(2).join(" ") || name))),
            () => [drawObject(objects[n])]);
        }));
        parts.push(make("h3", {class: "kind"}, `${kind} (${members.length})`), list);
      }
      if (!objects.length) parts.push(make("p", {class: "dim"}, "No object differs."));
      if (well.length) parts.push(make("details", {}, make("summary", {}, `${well.length} ${well.length === 1 ? "customization" : "customizations"} ok`),
        make("ul", {}, ...well.map(name => make("li", {}, make("code", {}, name))))));
      return parts;
    },
  };

  function lazy(details, draw) {
    const now = () => {
      if (details.dataset.drawn) return;
      details.dataset.drawn = "yes";
      details.append(...draw());
    };
    details.addEventListener("toggle", () => { if (details.open) now(); });
    details.drawNow = now;
    return details;
  }
  for (const details of document.querySelectorAll("details[data-draw]"))
    lazy(details, () => drawers[details.dataset.draw](Number(details.dataset.number)));

  const open = (details, is) => {
    if (is && details.drawNow) details.drawNow();
    details.open = is;
  };

  // -- filters ---------------------------------------------------------------------------------------

  const findings = [...document.querySelectorAll("article.finding")];
  const form = document.getElementById("filters");
  const visible = () => findings.filter(one => !one.hidden);
  const lazyOf = one => one.querySelector("details.lazy");

  function filter() {
    const wanted = new FormData(form), verdicts = new Set(wanted.getAll("verdict"));
    const overlay = wanted.get("overlay"), vendor = wanted.get("vendor") ?? "";
    const parts = wanted.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    for (const article of findings) {
      const one = data().findings[Number(article.dataset.finding)];
      article.hidden = !(verdicts.has(one.verdict)
        && (!overlay || one.overlays.includes(overlay))
        && (!vendor || one.vendors.includes(vendor))
        && parts.every(part => article.textContent.toLowerCase().includes(part)));
    }
    const left = visible().length;
    document.getElementById("shown").textContent = `${left} of ${findings.length} shown`;
    document.getElementById("none").hidden = left > 0;
  }
  const fold = document.getElementById("fold");
  function foldAll() {
    const all = visible().map(lazyOf).filter(Boolean), any = all.some(one => !one.open);
    all.forEach(one => open(one, any));
    fold.textContent = any ? "Fold all" : "Open all";
  }
  if (form) {
    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("input", filter);
    form.addEventListener("change", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    fold.addEventListener("click", foldAll);
  }

  // -- keys ------------------------------------------------------------------------------------------

  const keys = document.getElementById("keys");
  document.getElementById("help").addEventListener("click", () => keys.showModal());
  let here = null;
  function go(step) {
    const there = visible();
    if (!there.length) return;
    const at = there.indexOf(here);
    here?.classList.remove("here");
    here = there[at < 0 ? (step > 0 ? 0 : there.length - 1) : Math.min(Math.max(at + step, 0), there.length - 1)];
    here.classList.add("here");
    const target = here.querySelector("summary") ?? here;
    if (target === here) here.tabIndex = -1;
    target.focus({preventScroll: true});
    here.scrollIntoView({block: "nearest"});
  }
  document.addEventListener("keydown", event => {
    const typing = event.target.closest?.("input[type=search], select, textarea");
    if (event.key === "Escape" && typing) return typing.blur();
    if (typing || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") { event.preventDefault(); return keys.showModal(); }
    if (!document.getElementById("keys-on").checked || !form) return;
    const act = {
      j: () => go(1), k: () => go(-1), x: foldAll, "/": () => form.elements.text.focus(),
      o: () => { const one = here && lazyOf(here); if (one) open(one, !one.open); },
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // -- paper: the findings in full; objects as they are folded ---------------------------------------

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = visible().map(lazyOf).filter(one => one && !one.open);
    closed.forEach(one => open(one, true));
  });
  addEventListener("afterprint", () => closed.forEach(one => open(one, false)));
})();
