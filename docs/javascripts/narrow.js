// On a phone, a row of a table becomes a block, so each cell of a wide table needs the title of its column.
for (const table of document.querySelectorAll(".md-typeset table:not([class])")) {
  const titles = [...table.querySelectorAll("thead th")].map((title) => title.textContent.trim())
  if (titles.length < 3) continue
  for (const cell of table.querySelectorAll("tbody td")) cell.dataset.title = titles[cell.cellIndex]
}
// An option such as `--check` would be broken after its hyphens: short code stays on one line, and longer code breaks between words.
for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  const parts = code.textContent.length < 30 ? [code.textContent] : code.textContent.split(/( )/)
  if (code.children.length) continue
  code.replaceChildren(
    ...parts.map((part) => {
      const span = document.createElement("span")
      span.textContent = part
      if (part.length < 30 && part !== " ") span.style.whiteSpace = "nowrap"
      return span
    }),
  )
}
