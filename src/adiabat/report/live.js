// Asks the server that the page came from, every second, for what has changed, and shows it.
"use strict";

const EVERY_MS = 1000;
const shown = new Map();

function show(state) {
  for (const [name, html] of Object.entries(state.parts)) {
    if (shown.get(name) !== html) {
      document.getElementById("part-" + name).innerHTML = html;
      shown.set(name, html);
    }
  }
  state.plots.forEach(({ id, data, layout }) => Plotly.react(id, data, layout, { responsive: true, displaylogo: false }));
}

async function poll() {
  const status = document.getElementById("status");
  try {
    const response = await fetch("state.json", { cache: "no-store" });
    if (!response.ok) throw new Error(await response.text());
    show(await response.json());
    status.textContent = "";
  } catch (error) {
    status.textContent = "No news: the run has ended, or was stopped. What is shown is the last that was heard of it.";
  }
  setTimeout(poll, EVERY_MS);
}

show(JSON.parse(document.getElementById("page-data").textContent));
poll();
