// Marks: statements that a person takes out or brings in, by content, kept in the browser until they are saved.

const marks = new Map();
// Those that the recipe applies already.
const applied = new Map();
// Whether marks of an earlier visit, not saved then, were taken up.
let areUnsaved = false;
const storageKey = `augft-marks-${head.runs[0].fingerprint}`;
const keyOf = (document, question, text) => `${document}\u0000${question ?? ""}\u0000${text}`;
const markKey = (s) => keyOf(sources[s[SOURCE]][ID], s[QUESTION], s[TEXT]);

/** The mark that decides on a statement; one that takes it out changes nothing about a copy that is rejected anyway. */
function markOf(s, among = marks) {
  const mark = s[RUN] === 0 ? among.get(markKey(s)) : undefined;
  return mark?.mark === "out" && !isKept(s) && reasonOf(s) !== "marked" ? undefined : mark;
}

/** What states a held-out answer stays out, and an empty answer holds nothing to bring in. */
const canMark = (s) => s[RUN] === 0 && s[TEXT].trim() !== "" && reasonOf(s) !== "leak";

function readMarks() {
  let saved = null;
  try {
    saved = JSON.parse(localStorage.getItem(storageKey));
  } catch { /* No storage, as in some browsers for files: marks last until the page is closed. */ }
  for (const mark of head.marks) addMark(mark, applied);
  areUnsaved = saved !== null;
  for (const mark of saved ?? head.marks) addMark(mark);
}

function addMark({ mark, document, question, text }, to = marks) {
  to.set(keyOf(document, question, text), { mark, document, ...(question ? { question } : {}), text });
}

function setMark(s, wanted) {
  if (!wanted) marks.delete(markKey(s));
  else addMark({ mark: wanted, document: sources[s[SOURCE]][ID], question: s[QUESTION], text: s[TEXT] });
}

/** What a mark does to a statement without one: an applied mark that was removed comes back. */
const nextMark = (s) => markOf(s, applied)?.mark ?? (isKept(s) ? "out" : "in");
const canGet = (wanted, s) => canMark(s) && !markOf(s) && nextMark(s) === wanted;

function toggleMark(s) {
  if (canMark(s)) {
    setMark(s, markOf(s) ? null : nextMark(s));
    marksChanged();
  }
}

/** Mark everything that the filters show and that such a mark does something to. */
function markShown(wanted) {
  const own = order.map((i) => statements[i]).filter((s) => canGet(wanted, s));
  if (own.length > 20 && !confirm(`${wanted === "out" ? "Take out" : "Bring in"} ${plural(own.length, "statement")}?`)) return;
  own.forEach((s) => setMark(s, wanted));
  marksChanged();
}

function marksChanged() {
  if (marks.size === applied.size && [...marks].every(([key, { mark }]) => applied.get(key)?.mark === mark)) forget();
  else remember();
  for (const box of document.querySelectorAll("[data-statement]")) {
    const focused = box.contains(document.activeElement);
    fillStatement(box, statements[box.dataset.statement]);
    if (focused) box.focus({ preventScroll: true });
  }
  showMarkButtons();
}

function remember() {
  try {
    localStorage.setItem(storageKey, JSON.stringify([...marks.values()]));
  } catch { /* As in readMarks. */ }
}

/** Keep nothing in this browser: the marks are those of a file. */
function forget() {
  areUnsaved = false;
  try {
    localStorage.removeItem(storageKey);
  } catch { /* As in readMarks. */ }
}

function showMarkButtons() {
  const bar = document.getElementById("marks");
  const taken = [...marks.values()].filter((mark) => mark.mark === "out").length;
  const able = (wanted) => order.some((i) => canGet(wanted, statements[i]));
  const button = (text, onclick, attributes = {}) => h("button", { type: "button", text, onclick, ...attributes });
  bar.hidden = false;
  bar.replaceChildren(
    h("p", { role: "status" }, h("strong", { text: marks.size ? `${count(taken)} taken out, ${count(marks.size - taken)} brought in` : "No marks yet" }), areUnsaved ? h("span", { class: "note", text: "Unsaved marks of this browser." })
      : h("span", { class: "how", text: marks.size ? "Save, set augft.marks to the file, and run again." : "x, or the button beside a statement, takes it out." })),
    h("p", {}, button("Take out all shown", () => markShown("out"), { class: "quiet", disabled: !able("out") }),
      button("Bring in all shown", () => markShown("in"), { class: "quiet", disabled: !able("in") }),
      button("Open marks…", openMarks, { class: "quiet" }),
      button("Clear", () => { if (confirm("Remove all marks?")) { marks.clear(); marksChanged(); } }, { class: "quiet", disabled: !marks.size }),
      button("Save marks", saveMarks, { class: "main", disabled: !marks.size })));
}

const marksFile = () => [...marks.values()].map((mark) => `${JSON.stringify(mark)}\n`).join("");

function saveMarks() {
  const link = h("a", { href: URL.createObjectURL(new Blob([marksFile()], { type: "application/jsonl" })), download: "marks.jsonl" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  forget();
  showMarkButtons();
}

const isMark = (value) => ["out", "in"].includes(value?.mark) && [value.document, value.text].every((text) => typeof text === "string" && text.trim()) && ["string", "undefined"].includes(typeof (value.question ?? undefined));

/** Read a file of marks; one bad line is an error, so that never a part of a file is taken up. */
function marksIn(text) {
  return text.split("\n").flatMap((line, i) => {
    if (!line.trim()) return [];
    let value = null;
    try {
      value = JSON.parse(line);
    } catch { /* Not a mark either. */ }
    if (!isMark(value)) throw new Error(`Line ${i + 1} of this file is not a mark, so none was taken up. Expected {"mark": "out" or "in", "document": …, "text": …}.`);
    return [value];
  });
}

function openMarks() {
  const input = h("input", { type: "file", accept: ".jsonl,.json" });
  input.addEventListener("change", async () => {
    try {
      marksIn(await input.files[0].text()).forEach((mark) => addMark(mark));
      marksChanged();
    } catch (error) {
      alert(error.message);
    }
  });
  input.click();
}
