// A button in each heading sorts the table by its column: downwards, upwards, as it was.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.classList.contains("number") ? parseFloat(cell.dataset.value) : cell.textContent;
  };
  const compare = (a, b) => {
    if (typeof a === "string") return a.localeCompare(b);
    // What is not known stands last either way.
    return a - b;
  };
  for (const table of document.querySelectorAll("main table")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    if (original.length < 3) continue;
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const next = { descending: "ascending", ascending: null }[heading.getAttribute("aria-sort")];
        const order = next === undefined ? "descending" : next;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        if (order) heading.setAttribute("aria-sort", order);
        const known = original.filter((row) => !Number.isNaN(value(row, column)));
        const rest = original.filter((row) => !known.includes(row));
        const sign = order === "ascending" ? 1 : -1;
        if (order) known.sort((a, b) => sign * compare(value(a, column), value(b, column)));
        body.append(...(order ? [...known, ...rest] : original));
      });
    });
  }
})();
