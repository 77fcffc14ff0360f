// Draws the plots and the structure viewer of a report from the values that the page carries.
"use strict";

const page = JSON.parse(document.getElementById("page-data").textContent);
const SETTINGS = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};

// From pale to dark, so that it reads without colour too.
const HEAT = [[0, "#E3E8ED"], [0.3, "#F5C9A0"], [0.65, "#D55E00"], [1, "#6B1A00"]];

// A sphere of radius one: an octahedron whose faces are divided, its corners pushed outward.
function unitSphere(divisions) {
  let corners = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]];
  let faces = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]];
  for (let round = 0; round < divisions; round++) {
    const middles = new Map();
    const middle = (a, b) => {
      const key = Math.min(a, b) + "," + Math.max(a, b);
      if (!middles.has(key)) {
        const sum = corners[a].map((value, axis) => value + corners[b][axis]);
        const length = Math.hypot(...sum);
        middles.set(key, corners.push(sum.map((value) => value / length)) - 1);
      }
      return middles.get(key);
    };
    faces = faces.flatMap(([a, b, c]) => {
      const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
      return [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]];
    });
  }
  return { corners, faces };
}

function divisionsFor(atoms) {
  if (atoms <= 150) return 3;
  return atoms <= 1500 ? 2 : 1;
}

function atomsTrace(scene) {
  const sphere = unitSphere(divisionsFor(scene.positions.length));
  const trace = {
    type: "mesh3d", x: [], y: [], z: [], i: [], j: [], k: [], text: [], hoverinfo: "text", flatshading: false,
    lighting: { ambient: 0.5, diffuse: 0.65, specular: 0.1, roughness: 0.5, fresnel: 0.1 },
    lightposition: { x: 1e5, y: 1e5, z: -1000 },
  };
  const perVertex = [];
  scene.positions.forEach((position, atom) => {
    const first = trace.x.length;
    for (const corner of sphere.corners) {
      trace.x.push(position[0] + scene.radii[atom] * corner[0]);
      trace.y.push(position[1] + scene.radii[atom] * corner[1]);
      trace.z.push(position[2] + scene.radii[atom] * corner[2]);
      trace.text.push(scene.texts[atom]);
      perVertex.push(scene.values === null ? scene.colours[atom] : scene.values[atom]);
    }
    for (const [a, b, c] of sphere.faces) {
      trace.i.push(first + a);
      trace.j.push(first + b);
      trace.k.push(first + c);
    }
  });
  if (scene.values === null) return { ...trace, vertexcolor: perVertex };
  const low = Math.min(0, smallest(scene.values));
  const high = largest(scene.values);
  return {
    ...trace, intensity: perVertex, colorscale: HEAT, cmin: low, cmax: high > low ? high : low + 1,
    colorbar: { title: { text: scene.valueLabel, side: "right" }, thickness: 14, len: 0.8, outlinewidth: 0 },
  };
}

function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

function smallest(values) {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

function segmentsTrace(segments, line) {
  const axis = (index) => segments.flatMap(([from, to]) => [from[index], to[index], null]);
  return { type: "scatter3d", mode: "lines", x: axis(0), y: axis(1), z: axis(2), line, hoverinfo: "skip", showlegend: false };
}

// The box that holds all that is drawn of a structure.
function bounds(scene) {
  const points = [...scene.positions, ...scene.bonds.flat(), ...scene.cell.flat()];
  const margin = largest(scene.radii);
  return [0, 1, 2].map((axis) => {
    const along = points.map((point) => point[axis]);
    return [smallest(along) - margin, largest(along) + margin];
  });
}

// One Å is equally long along each axis, and a structure fits in the viewer however it is turned and however narrow it is.
function sceneLayout(name, scene) {
  const { clientWidth, clientHeight } = document.getElementById("viewer");
  const size = 2.2 * Math.min(1, (0.8 * clientWidth) / clientHeight);
  const ranges = bounds(scene);
  const spans = ranges.map(([low, high]) => high - low);
  const [x, y, z] = spans.map((span) => (size * span) / Math.hypot(...spans));
  const axis = (index) => ({ visible: false, showspikes: false, range: ranges[index] });
  return {
    font: page.font, margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", uirevision: name,
    scene: {
      xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), dragmode: "orbit", uirevision: name,
      aspectmode: "manual", aspectratio: { x, y, z },
      camera: { projection: { type: "orthographic" }, eye: { x: 1.25, y: 0.75, z: 0.45 } },
    },
  };
}

function showStructure(index) {
  const scene = page.structures[index];
  const traces = [
    atomsTrace(scene),
    segmentsTrace(scene.bonds, { color: "#8A94A0", width: 6 }),
    segmentsTrace(scene.cell, { color: "#3E4C59", width: 2 }),
  ];
  document.querySelectorAll("[data-structure]").forEach((button) => {
    button.setAttribute("aria-pressed", String(Number(button.dataset.structure) === index));
  });
  document.querySelectorAll("[data-legend]").forEach((legend) => {
    legend.hidden = Number(legend.dataset.legend) !== index;
  });
  return Plotly.react("viewer", traces, sceneLayout(String(index), scene), SETTINGS);
}

page.plots.forEach(({ id, data, layout }) => Plotly.newPlot(id, data, layout, SETTINGS));
if (page.structures.length > 0) {
  document.querySelectorAll("[data-structure]").forEach((button) => {
    button.addEventListener("click", () => showStructure(Number(button.dataset.structure)));
  });
  showStructure(0);
}
