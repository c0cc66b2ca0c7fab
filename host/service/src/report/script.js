'use strict';
// Filters: every word typed must be in a row. Without this script all rows show.
for (const input of document.querySelectorAll('input[data-table]')) {
  const table = document.getElementById(input.dataset.table);
  const count = document.getElementById(input.dataset.table + '-count');
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits = words.every((word) => texts[i].includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = words.length ? shown + ' of ' + rows.length : String(rows.length);
  };
  input.addEventListener('input', apply);
  apply();
}
