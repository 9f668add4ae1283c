// A click on the head of a table sorts its rows by that column, as numbers if the cells have numbers.
document.addEventListener("click", (event) => {
  const head = event.target.closest("article th");
  if (!head) return;
  const column = [...head.parentNode.children].indexOf(head);
  const body = head.closest("table").tBodies[0];
  const descending = head.dataset.order === "ascending";
  for (const other of head.parentNode.children) delete other.dataset.order;
  head.dataset.order = descending ? "descending" : "ascending";
  const key = (row) => row.cells[column]?.textContent.trim() ?? "";
  const number = (text) => parseFloat(text.match(/-?\d[\d,]*\.?\d*/)?.[0].replaceAll(",", ""));
  const rows = [...body.rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    const difference = number(a) - number(b);
    return (Number.isNaN(difference) ? a.localeCompare(b) : difference) * (descending ? -1 : 1);
  });
  body.append(...rows);
});
