/* What a report does besides being read: sorts tables, hides series of charts, shows where a figure comes from. */
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.add("js");

  /* Tables: a click on a heading sorts up, then down, then as it was. What is missing stays last. */
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.o !== undefined) return Number(cell.dataset.o);
    const text = cell.textContent.trim();
    return text === "" || text === "missing" ? null : text;
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
  for (const table of all("table")) {
    const body = table.tBodies[0], before = [...body.rows], heads = [...table.tHead.rows[0].cells];
    if (before.length < 2) continue;
    heads.forEach((head, column) => {
      if (!head.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const way = NEXT[head.getAttribute("aria-sort")], sign = way === "descending" ? -1 : 1;
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? way : "none"));
        const keyed = before.map((row) => [key(row, column), row]);
        if (way !== "none") keyed.sort((a, b) => compare(a[0], b[0], sign));
        body.append(...keyed.map((pair) => pair[1]));
      });
    });
  }

  /* Charts: a legend's box hides and shows its series in all charts of the gallery. */
  for (const box of all(".legend input")) {
    const show = () => all(`[data-s="${box.dataset.series}"]`, box.closest(".gallery"))
      .forEach((mark) => mark.classList.toggle("off", !box.checked));
    box.addEventListener("change", show);
    show();
  }

  /* Figures: pointing at one, or stepping to it, shows the row that it leads to; Escape hides it. */
  const card = document.createElement("div");
  card.className = "card";
  card.id = "card";
  card.setAttribute("role", "tooltip");
  card.hidden = true;
  document.body.append(card);
  const names = all("table.origin thead th").map((head) => head.textContent);
  const made = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const told = (id) => {
    const said = [...document.getElementById(id).cells].map((cell) => cell.textContent), list = document.createElement("dl");
    const [owner, name, value, unit] = said;
    said.forEach((text, index) => {
      if (index > 3 && text) list.append(made("dt", names[index]), made("dd", text));
    });
    return [made("h3", `${owner}: ${name} ${value} ${value === "missing" ? "" : unit}`.trim()), list];
  };
  let shown = null;
  const hide = () => { shown = null; card.hidden = true; };
  const show = (figure) => {
    shown = figure;
    card.replaceChildren(...figure.dataset.f.split(" ").flatMap(told));
    card.hidden = false;
    place();
  };
  const place = () => {
    if (!shown) return;
    const at = shown.getBoundingClientRect(), size = card.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - size.width - 12), below = at.bottom + 8;
    card.style.left = `${Math.max(12, left)}px`;
    card.style.top = `${below + size.height < innerHeight ? below : Math.max(8, at.top - size.height - 8)}px`;
  };
  for (const figure of all("[data-f]")) {
    figure.removeAttribute("title");
    all("title", figure).forEach((title) => title.remove());
    figure.setAttribute("aria-describedby", "card");
    for (const event of ["mouseenter", "focus"]) figure.addEventListener(event, () => show(figure));
    for (const event of ["mouseleave", "blur"]) figure.addEventListener(event, hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("scroll", place, true);
})();
