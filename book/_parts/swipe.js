/* Swipe: two layers of one patch on top of each other, with a line between them to be dragged.
 *
 * Data: { patches: { NAME: { size: [height, width], image, reference, maps: { METHOD: ids } } },
 *         classes: [{ name, color }], mark: words inside the image, or "" }
 * `image` is (height, width, 3) or absent, `reference` and `ids` (height, width), all packed bytes;
 * class ids begin at 1, 0 is no data.
 */
"use strict";

parts.swipe = (() => {
  const ERROR = [255, 0, 200];

  /** Pixels where a map differs from a labelled reference, and how many are labelled and right. */
  function compare(map, reference) {
    const wrong = map.map((id, i) => (reference[i] && id !== reference[i] ? 1 : 0));
    const labelled = reference.reduce((sum, id) => sum + (id > 0), 0);
    return { wrong, labelled, right: labelled - wrong.reduce((sum, one) => sum + one, 0) };
  }

  /** "#4477aa" as [68, 119, 170]. */
  const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

  /** Four bytes a pixel of class ids in their colours, white for no data; wrong pixels in ERROR. */
  function paintClasses(ids, classes, wrong) {
    const colors = [[255, 255, 255], ...classes.map(({ color }) => rgb(color))];
    const pixels = new Uint8ClampedArray(4 * ids.length).fill(255);
    ids.forEach((id, i) => pixels.set(wrong?.[i] ? ERROR : colors[id], 4 * i));
    return pixels;
  }

  /** Four bytes a pixel of an image of three. */
  function paintImage(image) {
    const pixels = new Uint8ClampedArray((4 * image.length) / 3).fill(255);
    for (let i = 0; i < image.length / 3; i++) pixels.set(image.subarray(3 * i, 3 * i + 3), 4 * i);
    return pixels;
  }

  async function unpack(patch) {
    const layers = {};
    if (patch.image) layers["Sentinel-2 image"] = { image: await parts.bytes(patch.image) };
    const reference = await parts.bytes(patch.reference);
    layers.Reference = { ids: reference };
    for (const [method, ids] of Object.entries(patch.maps)) {
      const map = await parts.bytes(ids);
      layers[method] = { ids: map, ...compare(map, reference) };
    }
    return { size: patch.size, reference, layers };
  }

  function pick(label, names, chosen, onChange) {
    const options = names.map((name) => parts.html("option", { selected: name === chosen }, name));
    const select = parts.html("select", { onchange: (event) => onChange(event.target.value) }, ...options);
    return parts.html("label", {}, `${label} `, select);
  }

  function score(name, { right, labelled }) {
    if (labelled === undefined) return "";
    return `${name}: ${((100 * right) / labelled).toFixed(1)}% of this patch agrees with the reference. `;
  }

  async function mount(box, data) {
    const patches = {};
    for (const [name, patch] of Object.entries(data.patches)) patches[name] = await unpack(patch);
    const names = Object.keys(patches), layers = Object.keys(patches[names[0]].layers);
    const state = { patch: names[0], left: "Reference", right: layers[layers.length - 1], errors: false };
    const sides = { left: parts.html("canvas"), right: parts.html("canvas", { class: "right" }) };
    const line = parts.html("div", { class: "line" });
    const scores = parts.html("p", { "aria-live": "polite" });
    const under = parts.html("p", { class: "under on-screen" }, "Point at a pixel, or tap it, to read its classes.");

    function paint() {
      const { size: [height, width], layers } = patches[state.patch];
      for (const [side, canvas] of Object.entries(sides)) {
        const { image, ids, wrong } = layers[state[side]] ?? layers.Reference;
        const pixels = image ? paintImage(image) : paintClasses(ids, data.classes, state.errors && wrong);
        parts.draw(canvas, pixels, width, height);
      }
      scores.textContent = ["left", "right"].map((side) => score(state[side], layers[state[side]])).join("");
      choice.press((name) => name === state.patch);
      errors.press(() => state.errors);
    }
    const change = (key) => (value) => { state[key] = value; paint(); };
    const divide = (percent) => {
      sides.right.style.clipPath = `inset(0 0 0 ${percent}%)`;
      line.style.left = `${percent}%`;
    };
    const slider = parts.slider("Position of the line", { min: 0, max: 100, value: 50 }, divide, (value) => `${value}%`);
    const choice = parts.choice("Patch", names, change("patch"));
    const errors = parts.choice("Errors", ["Mark errors"], () => change("errors")(!state.errors));

    function point(event) {
      const { left, top, width, height } = stage.getBoundingClientRect();
      const across = (event.clientX - left) / width, down = (event.clientY - top) / height;
      if (event.buttons || event.type === "pointerdown") {
        const percent = Math.round(100 * Math.min(1, Math.max(0, across)));
        slider.set(percent);
        divide(percent);
      }
      under.textContent = classesAt(patches[state.patch], across, down);
    }
    function classesAt({ size: [rows, columns], layers }, across, down) {
      const column = Math.floor(across * columns), row = Math.floor(down * rows);
      if (column < 0 || row < 0 || column >= columns || row >= rows) return "";
      const at = row * columns + column;
      const said = ([name, { ids }]) => `${name}: ${data.classes[ids[at] - 1]?.name ?? "no data"}`;
      return Object.entries(layers).filter(([, { ids }]) => ids).map(said).join("; ");
    }
    const stage = parts.html("div", { class: "stage", onpointermove: point, onpointerdown: point },
      sides.left, sides.right, line, data.mark ? parts.html("span", { class: "mark" }, data.mark) : "");

    box.append(
      choice.box,
      parts.html("div", { class: "controls" }, pick("Left", layers, state.left, change("left")),
        pick("Right", layers, state.right, change("right")), errors.box),
      stage, parts.html("div", { class: "controls on-screen" }, slider.box),
      parts.html("p", { class: "controls legend" }, ...parts.swatches(Object.fromEntries(
        data.classes.map(({ name, color }, i) => [`${i + 1} ${name}`, color])))),
      scores, under);
    divide(50);
    paint();
  }

  return { mount, compare, rgb, paintClasses, paintImage };
})();
