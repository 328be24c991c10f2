// A button in each heading sorts the table by its column: downwards, upwards, as it was.
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : parseFloat(cell.dataset.value);
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  };
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const address = (table) => {
    const lines = [...table.rows].map((row) => [...row.cells].map((cell) => {
      return quoted(cell.dataset.value === undefined ? cell.textContent : cell.dataset.value);
    }).join(","));
    return URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
  };
  for (const table of document.querySelectorAll("main table")) {
    const card = table.closest("figure");
    if (card) savers(card).append(saveButton("CSV", "csv", () => [address(table), `${table.id}.csv`]));
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
        // What is not known stands last either way.
        const known = original.filter((row) => !Number.isNaN(value(row, column)));
        const rest = original.filter((row) => !known.includes(row));
        const sign = order === "ascending" ? 1 : -1;
        if (order) known.sort((a, b) => sign * compare(value(a, column), value(b, column)));
        body.append(...(order ? [...known, ...rest] : original));
      });
    });
  }
})();
