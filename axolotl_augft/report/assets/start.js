// The page as it opens: the figures at once, then the statements.

async function start() {
  const status = document.getElementById("shown");
  try {
    await readSources((done, of) => { status.textContent = `Unpacking the data: ${percent(done, of)}`; });
  } catch (error) {
    status.textContent = error.message;
    status.className = "notice";
    return;
  }
  readMarks();
  makeFilters();
  applyFilters();
  document.addEventListener("keydown", onKey);
  document.getElementById("show-keys").addEventListener("click", showKeys);
  document.addEventListener("click", (event) => { if (event.target.tagName === "DIALOG") closeDialogs(); });
  addEventListener("beforeprint", () => { fillPaper(); document.querySelectorAll("#charts details").forEach((d) => { d.open = true; }); });
  document.documentElement.dataset.ready = "true";
}

showHead();
document.addEventListener("DOMContentLoaded", start);
