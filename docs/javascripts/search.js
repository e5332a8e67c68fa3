// The search as the theme has it compares letters with their accents, mixes the languages of the site, and is in English.
// This script runs before the theme's, and prepares what it searches for a reader of this page.
{
  const inSpanish = document.documentElement.lang === "es"
  const english = new URL(JSON.parse(document.getElementById("__config").textContent).base, location).href
  const spanish = `${english}es/`

  // One letter for one letter, so that the search marks the right ones: "rotacion" finds "rotación".
  const withoutAccents = (text) => text.replace(/[\u00c0-\u024f]/g, (letter) => letter.normalize("NFD")[0])

  // Of a page that exists in both languages, only the one in the reader's language is found.
  const forThisReader = (items) => {
    const page = (item) => item.location.split("#")[0]
    const pages = new Set(items.map(page))
    const isForOthers = (item) =>
      inSpanish ? pages.has(page(item).replace(english, spanish)) : page(item).startsWith(spanish)
    return items.map((item) => (isForOthers(item) ? { ...item, title: "", text: "", path: [] } : item))
  }

  const post = Worker.prototype.postMessage
  Worker.prototype.postMessage = function (message, ...options) {
    const prepared = JSON.stringify(message, (key, value) => {
      if (key === "items") return forThisReader(value)
      return typeof value === "string" ? withoutAccents(value) : value
    })
    return post.call(this, JSON.parse(prepared), ...options)
  }

  // The dialog that the theme adds to the page, once it has.
  const whenThere = (use) =>
    new MutationObserver((_, observer) => {
      const dialog = [...document.body.children].find((element) => element.shadowRoot)?.shadowRoot
      if (!dialog) return
      observer.disconnect()
      use(dialog)
    }).observe(document.body, { childList: true })

  // No page has tags, so there is nothing to filter by.
  whenThere((dialog) => {
    const style = document.createElement("style")
    style.textContent = "[aria-label=Filters] { display: none }"
    dialog.append(style)
  })

  const LABELS = {
    "Close search": "Cerrar la búsqueda",
    "Loading search…": "Cargando la búsqueda…",
    "No results": "Sin resultados",
    Search: "Buscar",
    "Search is unavailable. Reload the page to try again.": "No se puede buscar. Vuelve a cargar la página.",
    "Search results": "Resultados de la búsqueda",
  }
  const translated = (text) =>
    LABELS[text] ?? text.replace(/^(\d+) result(s?)$/, (_, count, plural) => `${count} resultado${plural}`)

  const translate = (dialog) => {
    for (const name of ["aria-label", "placeholder"]) {
      for (const element of dialog.querySelectorAll(`[${name}]`)) {
        element.setAttribute(name, translated(element.getAttribute(name)))
      }
    }
    for (const { firstChild: text } of dialog.querySelectorAll("[role=status]")) {
      if (text && translated(text.data) !== text.data) text.data = translated(text.data)
    }
  }
  if (inSpanish) {
    whenThere((dialog) => {
      const changes = { characterData: true, childList: true, subtree: true }
      new MutationObserver(() => translate(dialog)).observe(dialog, changes)
    })
  }
}
