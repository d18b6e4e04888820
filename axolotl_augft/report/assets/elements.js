// Texts -> elements. Text of unknown origin is only ever set as the text of a node, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const LONGEST_SHOWN = 4000;
// What a reader cannot see, or what turns the direction of a line: shown as its number.
// The same signs as in text/terminal.py: controls and lone surrogates; category Cf without what has a shape or joins; fillers.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]|(?![\u200c\u200d\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])\p{Cf}|[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u{e0000}-\u{e0fff}]/gu;

/** Make an element: its attributes (`on…` for listeners, `class`, `text`), then its children. */
function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an SVG element. */
function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return a text with what cannot be seen as numbers of Unicode. */
function shown(text) {
  return text.replace(HIDDEN, (sign) => `\u27e8U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

/** Make an element with a text of any length; the rest of a long one comes with a button. */
function textOf(name, text, attributes = {}) {
  const element = h(name, { dir: "auto", ...attributes });
  if (text.length <= LONGEST_SHOWN) {
    element.textContent = shown(text);
    return element;
  }
  const more = h("button", { type: "button", class: "quiet", text: `Show all ${count(text.length)} characters` });
  more.addEventListener("click", () => { element.textContent = shown(text); });
  element.append(`${shown(text.slice(0, LONGEST_SHOWN))} … `, more);
  return element;
}

const count = (n) => n.toLocaleString("en-US");
const percent = (part, whole) => (whole ? `${(100 * part / whole).toFixed(part && part < whole && (part / whole > 0.99 || part / whole < 0.1) ? 1 : 0)} %` : "–");
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

function dollars(amount) {
  if (amount >= 1 || amount === 0) return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${Number(amount.toPrecision(2))}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function short(n) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (n >= size) return `${(n / size).toPrecision(3).replace(/\.?0+$/, "")} ${unit}`;
  }
  return `${Math.round(n)}`;
}
