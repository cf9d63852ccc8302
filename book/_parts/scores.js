/* Scores that move apart, and scores that stay.
 *
 * Kappa lab, data: { names, presets: { NAME: { shares, recalls, printed } } }. Missed pixels of a class are
 * predicted as the largest class, those of the largest as the others, by their shares. `printed`, if a
 * preset has it, has the paper's scores; they stand beside the bars.
 * The free cell, data: { names, start: [row, column], cells: { "row,column": { low, high } } }: two
 * confusion matrices with the least and the greatest of that cell; all between them are allowed too.
 */
"use strict";

parts.scores = (() => {
  const SHOWN = { accuracy: "accuracy", weighted: "weighted F1", macro: "macro F1", kappa: "Cohen's kappa" };
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const ratio = (above, below) => (below > 0 ? above / below : 0);

  /* ---- Numbers. ---- */

  /** Scores of a confusion matrix, rows reference, columns predicted: `results.scores`. */
  function scores(matrix) {
    const support = matrix.map(sum), total = sum(support);
    const claimed = matrix.map((_, j) => sum(matrix.map((row) => row[j])));
    const hits = matrix.map((row, i) => row[i]), accuracy = ratio(sum(hits), total);
    const f1 = hits.map((hit, i) => ratio(2 * hit, support[i] + claimed[i]));
    const chance = sum(support.map((pixels, i) => pixels * claimed[i])) / total ** 2;
    return {
      precision: hits.map((hit, i) => ratio(hit, claimed[i])),
      recall: hits.map((hit, i) => ratio(hit, support[i])),
      f1,
      accuracy,
      weighted: sum(f1.map((score, i) => score * support[i])) / total,
      macro: sum(f1) / f1.length,
      kappa: ratio(accuracy - chance, 1 - chance),
    };
  }

  /** A confusion matrix of shares from the share and the recall of each class. */
  function confusion(weights, recalls) {
    const shares = weights.map((weight) => weight / sum(weights));
    const largest = shares.indexOf(Math.max(...shares)), others = 1 - shares[largest];
    return shares.map((share, i) => shares.map((to, j) => {
      if (i === j) return share * recalls[i];
      const part = i === largest ? ratio(to, others) : Number(j === largest);
      return share * (1 - recalls[i]) * part;
    }));
  }

  /** What lies between two matrices: the first at 0, the second at 1. */
  function between({ low, high }, at) {
    return low.map((row, i) => row.map((value, j) => value + at * (high[i][j] - value)));
  }

  /* ---- Drawing. ---- */

  /** One bar per score: `show` draws the scores of a matrix, `compare` writes the paper's beside them. */
  function bars(digits) {
    const rows = Object.entries(SHOWN).map(([name, words]) => {
      const bar = parts.html("i"), value = parts.html("output"), beside = parts.html("small");
      const box = parts.html("div", { class: "score-bar" },
        parts.html("span", {}, words), parts.html("b", {}, bar), value, beside);
      return { name, box, bar, value, beside };
    });
    const show = (matrix) => {
      const found = scores(matrix);
      for (const { name, bar, value } of rows) {
        bar.style.width = `${Math.max(0, 100 * found[name])}%`;
        value.textContent = found[name].toFixed(digits);
      }
    };
    const compare = (printed) => {
      for (const { name, beside } of rows) {
        beside.textContent = printed ? `the paper: ${printed[name].toFixed(digits)}` : "";
      }
    };
    return { box: parts.html("div", { "aria-live": "polite" }, ...rows.map((row) => row.box)), show, compare };
  }

  function lab(box, { names, presets }) {
    const drawn = bars(3), classes = names.map(() => ({ weight: 0, recall: 0 }));
    const percent = (value) => (value < 0.1 ? (100 * value).toFixed(1) : (100 * value).toFixed(0));
    const draw = () => {
      const weights = classes.map(({ weight }) => weight);
      for (const { weight, shown } of classes) shown.textContent = `${percent(weight / sum(weights))}%`;
      drawn.show(confusion(weights, classes.map(({ recall }) => recall)));
    };
    const rows = names.map((name, i) => {
      const own = classes[i];
      own.shown = parts.html("td");
      // A cube root, so that a share of a third of a percent can be set by hand.
      own.share = parts.slider("", { min: 1, max: 100, value: 50 },
        (now) => { own.weight = (now / 100) ** 3; draw(); }, () => "");
      own.hit = parts.slider("", { min: 0, max: 100, value: 50 },
        (now) => { own.recall = now / 100; draw(); }, (now) => (now / 100).toFixed(2));
      own.share.input.setAttribute("aria-label", `share of ${name}`);
      own.hit.input.setAttribute("aria-label", `recall of ${name}`);
      return parts.html("tr", {}, parts.html("th", { scope: "row" }, `${i + 1} ${name}`),
        parts.html("td", {}, own.share.box), own.shown, parts.html("td", {}, own.hit.box));
    });
    const choose = ({ shares, recalls, printed }) => {
      drawn.compare(printed);
      classes.forEach((own, i) => {
        // On the scale of the slider, on which the largest share is 1.
        [own.weight, own.recall] = [shares[i] / Math.max(...shares), recalls[i]];
        own.share.set(Math.max(1, Math.round(100 * Math.cbrt(shares[i] / Math.max(...shares)))));
        own.hit.set(Math.round(100 * recalls[i]));
      });
      draw();
    };
    const start = (name) => { choose(presets[name]); starts.press((other) => other === name); };
    const starts = parts.choice("Start from", Object.keys(presets), start);
    // Moving a slider leaves the preset; its button leads back to it.
    const leave = () => { starts.press(() => false); drawn.compare(null); };
    const table = parts.html("table", { class: "lab", oninput: leave },
      parts.html("thead", {}, parts.html("tr", {}, ...["Class", "Share of the pixels", "%", "Recall"].map((name) =>
        parts.html("th", { scope: "col" }, name)))),
      parts.html("tbody", {}, ...rows));
    box.append(starts.box, drawn.box, table, parts.html("p", { class: "on-screen" },
      "The sliders of the shares set how frequent a class is beside the others; the percentages add up to 100%."));
    start(Object.keys(presets)[0]);
  }

  function freeCell(box, { names, start, cells }) {
    const drawn = bars(3), said = parts.html("p", { "aria-live": "polite" });
    let key = start.join(",");
    const draw = (at) => {
      const [row, column] = key.split(",").map(Number), matrix = between(cells[key], at / 100);
      matrix.forEach((line, i) => line.forEach((value, j) => {
        const share = value / sum(line), button = buttons[i][j];
        button.textContent = (100 * share).toFixed(0);
        button.style.setProperty("--share", share.toFixed(3));
        button.setAttribute("aria-pressed", i === row && j === column);
        button.setAttribute("aria-label", `${names[i]} predicted as ${names[j]}: ${button.textContent}%`);
      }));
      const pixels = parts.count(Math.round(matrix[row][column]));
      const bounds = [cells[key].low, cells[key].high].map((extreme) => parts.count(Math.round(extreme[row][column])));
      said.textContent = `${names[row]} predicted as ${names[column]}: ${pixels} pixels, `
        + `${(100 * matrix[row][column] / sum(matrix[row])).toFixed(1)}% of the class. `
        + `The tables allow ${bounds.join(" to ")} pixels.`;
      drawn.show(matrix);
    };
    const slider = parts.slider("From the least to the greatest number", { min: 0, max: 100, value: 50 }, draw, () => "");
    const choose = (i, j) => { key = `${i},${j}`; slider.set(50); draw(50); };
    const buttons = names.map((_, i) => names.map((__, j) =>
      parts.button("", () => choose(i, j), { disabled: i === j })));
    const head = parts.html("tr", {}, parts.html("td", {}, "Reference \u2193 predicted \u2192"),
      ...names.map((name, j) => parts.html("th", { scope: "col", title: name }, String(j + 1))));
    const rows = buttons.map((line, i) => parts.html("tr", {},
      parts.html("th", { scope: "row" }, `${i + 1} ${names[i]}`),
      ...line.map((button) => parts.html("td", {}, button))));
    box.append(parts.html("table", { class: "cells" }, parts.html("thead", {}, head), parts.html("tbody", {}, ...rows)),
      said, parts.html("div", { class: "controls on-screen" }, slider.box), drawn.box);
    choose(...start);
  }

  const mount = (box, data) => (data.cells ? freeCell : lab)(box, data);
  return { mount, scores, confusion, between };
})();
