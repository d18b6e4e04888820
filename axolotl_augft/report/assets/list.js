// What the filters leave -> the list. Only the part near the window is in the page; the rest are boxes of its height.

const ITEMS_IN_CHUNK = 15;
let chunks = [];
let current = -1;

const nearby = new IntersectionObserver((entries) => {
  for (const entry of entries) (entry.isIntersecting ? fillChunk : emptyChunk)(entry.target);
}, { rootMargin: "1200px 0px" });

function fillList() {
  const list = document.getElementById("list");
  nearby.disconnect();
  current = -1;
  const height = filters.order === "doubt" ? 120 : 260;
  chunks = [];
  for (let start = 0; start < items.length; start += ITEMS_IN_CHUNK) {
    const chunk = h("div", { class: "chunk" });
    chunk.start = start;
    chunk.style.minHeight = `${height * Math.min(ITEMS_IN_CHUNK, items.length - start)}px`;
    chunks.push(chunk);
  }
  list.replaceChildren(...(chunks.length ? chunks : [h("p", { class: "notice", text: "No statement fits these filters." })]));
  chunks.slice(0, 1).forEach(fillChunk);
  chunks.forEach((chunk) => nearby.observe(chunk));
}

function fillChunk(chunk) {
  if (chunk.childElementCount) return;
  chunk.style.minHeight = "";
  const own = items.slice(chunk.start, chunk.start + ITEMS_IN_CHUNK);
  chunk.append(...own.map((item) => (filters.order === "doubt" ? single(item[0]) : sourceCard(item))));
}

function emptyChunk(chunk) {
  if (!chunk.childElementCount || chunk.contains(document.activeElement)) return;
  chunk.style.minHeight = `${chunk.offsetHeight}px`;
  chunk.replaceChildren();
}

const numberOf = (item) => (item[0] < 0 ? -1 - item[0] : statements[item[0]][SOURCE]);

function sourceCard(item) {
  const source = sources[numberOf(item)];
  const own = item.filter((i) => i >= 0).map((i) => i);
  const lists = isCompared
    ? [0, 1].map((run) => h("div", { class: "side" }, h("h4", { text: shown(head.runs[run].name) }), statementList(own.filter((i) => statements[i][RUN] === run))))
    : [statementList(own)];
  return h("article", { class: `source${isCompared ? " compared" : ""}`, "data-source": source[ID], "aria-label": `Source ${source[ROW]}` },
    h("div", { class: "text" }, sourceLine(source), sourceText(source)), h("div", { class: "written" }, lists));
}

function statementList(own) {
  if (!own.length) return h("p", { class: "nothing", text: "No statement." });
  return h("ul", {}, own.map((i) => h("li", {}, statementBox(i))));
}

function sourceLine(source) {
  const section = source[SECTION] ? ` · ${source[SECTION]}` : "";
  return h("p", { class: "place" }, h("span", { text: shown(`${head.files[source[FILE]]}${section}`) }), h("span", { text: ` · row ${source[ROW]} · ${source[ID]}` }));
}

/** The text of a source, its sentences as elements, so that one can be pointed at. */
function sourceText(source) {
  const text = source[SOURCE_TEXT];
  if (text.length > LONGEST_SHOWN) return textOf("p", text, { class: "quoted" });
  const open = uncovered(source);
  const parts = [];
  let at = 0;
  source[ENDS].forEach((end, i) => {
    parts.push(h("span", { class: open.has(i) ? "sentence open" : "sentence", "data-sentence": i, text: shown(text.slice(at, end)), title: open.has(i) ? "No kept statement is about this sentence" : null }));
    at = end;
  });
  return h("p", { class: "quoted", dir: "auto" }, parts, shown(text.slice(at)));
}

/** A statement by itself, with the sentence that it is about. */
function single(i) {
  const s = statements[i];
  const source = sources[s[SOURCE]];
  const [from, to] = s[SENTENCE] < 0 ? [0, source[SOURCE_TEXT].length] : [source[ENDS][s[SENTENCE] - 1] ?? 0, source[ENDS][s[SENTENCE]] ?? source[SOURCE_TEXT].length];
  return h("article", { class: "source single", "data-source": source[ID], "aria-label": `Statement about source ${source[ROW]}` },
    h("div", { class: "text" }, sourceLine(source), textOf("p", source[SOURCE_TEXT].slice(from, to).trim(), { class: "quoted" }),
      h("button", { type: "button", class: "link", text: "Whole source", onclick: () => goTo(source[ID]) })),
    h("div", { class: "written" }, isCompared && h("h4", { text: shown(head.runs[s[RUN]].name) }), h("ul", {}, h("li", {}, statementBox(i)))));
}

function statementBox(i) {
  const s = statements[i];
  const box = h("div", { class: `statement ${isKept(s) ? "is-kept" : "is-rejected"}`, tabindex: "-1", "data-statement": i });
  box.addEventListener("mouseenter", () => point(box, s, true));
  box.addEventListener("mouseleave", () => point(box, s, false));
  box.addEventListener("focusin", () => { makeCurrent(i); point(box, s, true); });
  box.addEventListener("focusout", () => point(box, s, false));
  fillStatement(box, s);
  return box;
}

function fillStatement(box, s) {
  const marked = markOf(s);
  box.classList.toggle("is-marked", marked !== undefined);
  const tags = h("p", { class: "tags" }, stateTag(s, marked), s[P] === null ? null : probabilityTag(s), h("span", { text: shown(head.kinds[s[KIND]].replace("/", " · ")) }),
    s[SENTENCE] >= 0 && sources[s[SOURCE]][ENDS].length > 1 && h("span", { text: `sentence ${s[SENTENCE] + 1}` }),
    s[SAMPLE] > 0 && h("span", { text: `sample ${s[SAMPLE] + 1}` }), h("span", { text: plural(s[TOKENS], "token") }),
    isCompared && isKept(s) && h("span", { class: "agree", text: s[KEPT_BY] === 3 ? "kept by both" : "kept only here" }));
  const buttons = h("span", { class: "actions" },
    canMark(s) && h("button", { type: "button", class: "mark", text: marked ? "Undo" : isKept(s) ? "Take out" : "Bring in", onclick: () => toggleMark(s) }),
    s[ANSWER] >= 0 && h("button", { type: "button", class: "quiet", text: "Prompt and answer", onclick: () => showAnswer(s) }));
  tags.append(buttons);
  const rests = s[RESTS_ON].length ? h("p", { class: "rests" }, "Rests on ", s[RESTS_ON].map((id) => sourceLink(id))) : "";
  box.replaceChildren(tags, s[QUESTION] === null ? "" : textOf("p", s[QUESTION], { class: "question" }), textOf("p", s[TEXT], { class: "said" }), rests);
}

function stateTag(s, marked) {
  if (marked) return h("span", { class: "state marked", text: marked.mark === "out" ? "✕ taken out" : "✓ brought in" });
  if (isKept(s)) return h("span", { class: "state kept", text: "✓ kept" });
  return h("span", { class: "state rejected", text: `✕ ${reasonOf(s)}`, title: REASONS[reasonOf(s)] ?? null });
}

function probabilityTag(s) {
  const alone = s[ALONE] === null ? "" : `, alone ${s[ALONE].toFixed(2)}`;
  return h("span", { class: "probability", title: `Probability that it must be true if its source is${s[ALONE] === null ? "" : "; that it can be understood alone"}` },
    svg("svg", { viewBox: "0 0 40 6", width: 40, height: 6, "aria-hidden": "true" }, svg("rect", { class: "track", width: 40, height: 6 }), svg("rect", { class: isKept(s) ? "kept" : "rejected", width: 40 * s[P], height: 6 })), ` P ${s[P].toFixed(2)}${alone}`);
}

/** Point at the sentence that a statement is about. */
function point(box, s, on) {
  box.closest(".source")?.querySelector(`[data-sentence="${s[SENTENCE]}"]`)?.classList.toggle("pointed", on);
}

function sourceLink(id) {
  return h("button", { type: "button", class: "link", text: id, disabled: !sourceOfId.has(id), onclick: () => goTo(id) });
}

/** Go to a source, with all filters off. */
function goTo(id) {
  closeDialogs();
  setFilters({ order: "source" }, false);
  const at = items.findIndex((item) => numberOf(item) === sourceOfId.get(id));
  const chunk = chunks[Math.floor(at / ITEMS_IN_CHUNK)];
  if (!chunk) return;
  fillChunk(chunk);
  const card = chunk.children[at % ITEMS_IN_CHUNK];
  card.scrollIntoView({ block: "center" });
  card.querySelector(".statement")?.focus({ preventScroll: true });
}

function makeCurrent(i) {
  document.querySelector(".statement.current")?.classList.remove("current");
  current = order.indexOf(i);
  document.querySelector(`[data-statement="${i}"]`)?.classList.add("current");
}

/** Move to the next (1) or the previous (-1) statement. */
function move(step) {
  const next = Math.max(0, Math.min(order.length - 1, current + step));
  if (!order.length) return;
  const at = itemOf[next];
  fillChunk(chunks[Math.floor(at / ITEMS_IN_CHUNK)]);
  const box = document.querySelector(`[data-statement="${order[next]}"]`);
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "center" });
}
