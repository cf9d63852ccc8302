// Marks one text of each combination of colours with `data-contrast`, for axe to measure. Whether a
// text can be read depends on its colour, size and weight and on what lies behind it, and the pages
// of the library repeat a few such combinations thousands of times.
() => {
  const behind = (element) => {
    const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
    const isTransparent = backgroundColor === "rgba(0, 0, 0, 0)" && backgroundImage === "none";
    return isTransparent && opacity === "1" ? "" : `${backgroundColor} ${backgroundImage} ${opacity}`;
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());

  const seen = new Set();
  for (const element of document.querySelectorAll("body *")) {
    delete element.dataset.contrast;
    if (!hasText(element)) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const combination = [color, fontSize, fontWeight];
    for (let ancestor = element; ancestor; ancestor = ancestor.parentElement) {
      combination.push(behind(ancestor));
    }
    const key = combination.filter(Boolean).join("|");
    if (seen.has(key)) continue;
    seen.add(key);
    element.dataset.contrast = "";
  }
}
