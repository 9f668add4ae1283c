// A click on the head of a table sorts its rows by that column: as numbers if all cells
// begin with one (the lower end of an interval), else as texts. Dashes are last.
document.addEventListener("click", (event) => {
  const head = event.target.closest("article th");
  if (!head) return;
  const column = [...head.parentNode.children].indexOf(head);
  const body = head.closest("table").tBodies[0];
  const descending = head.ariaSort === "ascending";
  for (const other of head.parentNode.children) other.ariaSort = null;
  head.ariaSort = descending ? "descending" : "ascending";
  const text = (row) => row.cells[column]?.textContent.trim() ?? "";
  const number = (row) => parseFloat(text(row).replaceAll(/[[,]/g, ""));
  const rows = [...body.rows];
  const known = rows.filter((row) => text(row) !== "-");
  const numeric = known.every((row) => !Number.isNaN(number(row)));
  known.sort((a, b) => (numeric ? number(a) - number(b) : text(a).localeCompare(text(b))) * (descending ? -1 : 1));
  body.append(...known, ...rows.filter((row) => text(row) === "-"));
});
