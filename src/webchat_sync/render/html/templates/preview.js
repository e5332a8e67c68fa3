"use strict";
(() => {
  const kept = sessionStorage.getItem("view");
  if (kept) {
    const view = JSON.parse(kept);
    for (const id of view.checked) {
      const input = document.getElementById(id);
      if (input && input.name !== "side") input.checked = true;
    }
    scrollTo(0, view.top);
  }
  const keep = () => sessionStorage.setItem("view", JSON.stringify({
    checked: ["desktop", "phone", "light", "dark"].filter((id) => document.getElementById(id).checked),
    top: scrollY,
  }));
  addEventListener("pagehide", keep);
  document.getElementById("show").hidden = true; // a change of the view is shown at once
  const form = document.querySelector("form.tools");
  for (const id of ["at", "declared", "live"]) {
    const input = document.getElementById(id);
    if (input) input.addEventListener("change", () => form.requestSubmit());
  }
  const events = new EventSource("/events");
  events.onmessage = (event) => {
    if (event.data !== document.body.dataset.version) location.reload();
  };
})();
