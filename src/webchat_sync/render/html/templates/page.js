"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const articles = [...document.querySelectorAll("article[data-channel]")];
  if (!articles.length) return;
  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;

  const texts = new Map(articles.map((article) => [article, article.textContent.toLowerCase()]));
  const filter = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const action = byId("action").value, level = byId("level").value;
    let shown = 0;
    for (const article of articles) {
      const fits = (!action || article.dataset.action === action) && (!level || article.dataset.level === level)
        && words.every((word) => texts.get(article).includes(word));
      article.hidden = !fits;
      shown += fits;
    }
    byId("nothing").hidden = shown > 0;
    byId("found").textContent = shown === articles.length ? "" : `${shown} of ${articles.length} ${articles.length === 1 ? "channel" : "channels"}`;
  };
  byId("search").addEventListener("input", filter);
  byId("action").addEventListener("change", filter);
  byId("level").addEventListener("change", filter);

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  byId("here").textContent = ` (${zone})`;
  const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const local = (spans) => {
    const days = [[], [], [], [], [], [], []];
    for (const span of spans.split(" ").filter(Boolean)) {
      const [kind, start, length] = span.split(":");
      const at = new Date(Number(start) * 60000);
      let day = (at.getDay() + 6) % 7, from = at.getHours() * 60 + at.getMinutes(), left = Number(length);
      while (left > 0) {
        const taken = Math.min(left, 1440 - from);
        days[day].push({ kind, from, to: from + taken });
        left -= taken;
        from = 0;
        day = (day + 1) % 7;
      }
    }
    for (const bars of days) {
      bars.sort((one, other) => one.from - other.from);
      for (let index = bars.length - 1; index > 0; index--)
        if (bars[index].kind === bars[index - 1].kind && bars[index].from <= bars[index - 1].to)
          bars[index - 1].to = Math.max(bars[index - 1].to, bars.splice(index, 1)[0].to);
    }
    return days;
  };
  const ranges = (bars) => bars.map((bar) => `${clock(bar.from)}–${clock(bar.to)}`).join(", ");
  const says = (bars, difference) => {
    if (!difference) return ranges(bars) || "closed";
    const gained = ranges(bars.filter((bar) => bar.kind === "gained")), lost = ranges(bars.filter((bar) => bar.kind === "lost"));
    return [gained && `opens ${gained}`, lost && `closes ${lost}`].filter(Boolean).join("; ") || "no change";
  };
  const drawn = new Map();
  const draw = (mine) => {
    for (const table of document.querySelectorAll("table.week")) {
      if (!table.dataset.spans) continue;
      const label = table.parentElement.querySelector(".zone");
      if (!drawn.has(table)) drawn.set(table, [table.tBodies[0].cloneNode(true), label.textContent]);
      const [body, name] = drawn.get(table);
      const fresh = body.cloneNode(true);
      if (mine) {
        const difference = Boolean(table.closest(".difference"));
        local(table.dataset.spans).forEach((bars, day) => {
          const row = fresh.rows[day], svg = row.querySelector("svg");
          svg.replaceChildren(...bars.map((bar) => {
            const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
            rect.setAttribute("class", bar.kind);
            rect.setAttribute("x", bar.from);
            rect.setAttribute("width", bar.to - bar.from);
            rect.setAttribute("height", 10);
            return rect;
          }));
          row.cells[2].textContent = says(bars, difference);
        });
      }
      table.tBodies[0].replaceWith(fresh);
      label.textContent = mine ? zone : name;
    }
  };
  byId("theirs").addEventListener("change", () => draw(false));
  byId("mine").addEventListener("change", () => draw(true));
})();
