// A statement -> the prompt that asked for it and the raw answer it was read from; and the list of keys.

async function showAnswer(s) {
  const dialog = document.getElementById("answer");
  const title = h("h2", { id: "answer-title", tabindex: "-1", text: "Prompt and answer" });
  const close = h("button", { type: "button", class: "quiet", text: "Close", onclick: closeDialogs });
  const bar = h("div", { class: "bar" }, title, close);
  dialog.replaceChildren(bar, h("p", { text: "Unpacking …" }));
  if (!dialog.open) dialog.showModal();
  title.focus();
  try {
    const answer = await answerOf(s);
    dialog.replaceChildren(bar, ...answerParts(answer, s));
  } catch (error) {
    dialog.replaceChildren(bar, h("p", { class: "notice", text: `${error.message}` }));
  }
}

function answerParts(a, s) {
  if (a.outcome === "missing") return [h("p", { class: "notice", text: "The response store no longer holds this answer." })];
  const tokens = a.prompt === null ? "tokens not reported" : `${count(a.prompt)} tokens read${a.cached === null ? "" : ` (${count(a.cached)} of them cached)`}, ${count(a.written ?? 0)} written`;
  const part = (name, text, open) => text && h("details", { open }, h("summary", { text: name }), textOf("pre", text, { tabindex: "0" }));
  const ids = [...new Set([...`${a.shared}\n${a.target}`.matchAll(/\[([0-9a-f]{8})\]/g)].map((match) => match[1]))].filter((id) => sourceOfId.has(id));
  return [
    h("p", { class: "note", text: `${a.outcome}${a.finish ? `, ended by “${shown(a.finish)}”` : ""}; ${tokens}` }),
    h("h3", { text: "Answer" }), highlighted(a.text, s[TEXT]), part("Reasoning", a.reasoning, false),
    h("h3", { text: "Prompt" }), part("System", a.system, false), part(`Shared with other requests (${count(a.shared.length)} characters)`, a.shared, false), part("This request alone", a.target, true),
    ids.length > 0 && h("details", { class: "rests" }, h("summary", { text: `Documents in this prompt (${count(ids.length)})` }), sourceLinks(ids.slice(0, 200))),
  ].filter(Boolean);
}

/** The answer, with the statement marked in it if it is there word for word. */
function highlighted(text, said) {
  const at = said ? text.indexOf(said) : -1;
  if (at < 0 || text.length > LONGEST_SHOWN) return textOf("pre", text, { tabindex: "0" });
  return h("pre", { dir: "auto", tabindex: "0" }, shown(text.slice(0, at)), h("mark", { text: shown(said) }), shown(text.slice(at + said.length)));
}

const KEYS = [["j", "next statement"], ["k", "previous statement"], ["x", "take out or bring in; again to undo"], ["Enter", "prompt and answer"], ["/", "search"], ["d", "most doubtful first, or as in the sources"], ["s", "save the marks"], ["?", "these keys"], ["Esc", "close, or leave the search"]];

function showKeys() {
  const dialog = document.getElementById("keys");
  dialog.replaceChildren(h("div", { class: "bar" }, h("h2", { id: "keys-title", text: "Keys" }), h("button", { type: "button", class: "quiet", text: "Close", onclick: closeDialogs })),
    h("dl", {}, KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", { text: key })), h("dd", { text: what })))));
  dialog.showModal();
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

const ACTIONS = {
  j: () => move(1), k: () => move(-1), "?": showKeys, s: () => marks.size && saveMarks(),
  x: () => current >= 0 && toggleMark(statements[order[current]]),
  Enter: () => current >= 0 && statements[order[current]][ANSWER] >= 0 && showAnswer(statements[order[current]]),
  d: () => setFilters({ ...filters, order: filters.order === "doubt" ? "source" : "doubt" }, true),
  "/": () => { document.getElementById("statements").scrollIntoView(); controls.search.focus(); },
};

function onKey(event) {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape" && typing) typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target.closest("button, a, summary")) return;
  const action = ACTIONS[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
}
