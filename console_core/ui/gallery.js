// Text from outside only ever reaches textContent, alt, title and src.
function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function told_of(tile) {
  const part = { '>': 'all', '<': 'none' }[tile.percentile[0]] ?? tile.percentile + ' %'
  return 'percentile ' + tile.percentile + ': scores higher than ' + part + ' of a sample of its collection'
}

function facts(tile) {
  const row = element('div', 'facts')
  if (tile.rank) row.append(element('span', 'rank', String(tile.rank)))
  if (tile.percentile) {
    const told = element('span', 'percentile', tile.percentile)
    told.title = told_of(tile)
    row.append(told)
  }
  if (tile.shift) {
    const badge = element('span', 'shift ' + tile.shift.kind, tile.shift.text)
    badge.title = tile.shift.meaning
    row.append(badge)
  }
  return row
}

function button(tile, picked) {
  const made = element('button', tile.id === picked ? 'picked' : '')
  made.type = 'button'
  made.dataset.id = tile.id
  const spoken = [tile.alt, tile.rank && 'rank ' + tile.rank, tile.percentile && 'percentile ' + tile.percentile, tile.shift?.meaning, tile.note]
  made.setAttribute('aria-label', spoken.filter(Boolean).join(', '))
  made.setAttribute('aria-pressed', String(tile.id === picked))
  made.title = tile.alt
  const picture = element('img')
  picture.loading = 'lazy'
  picture.decoding = 'async'
  picture.alt = tile.alt
  picture.src = tile.src
  made.append(picture)
  if (tile.rank || tile.percentile || tile.shift) made.append(facts(tile))
  if (tile.note) made.append(element('div', 'note', tile.note))
  return made
}

function column(given, data) {
  const made = element('section', 'column')
  if (given.title || given.caption) {
    const head = element('header')
    if (given.title) head.append(element('h3', '', given.title))
    if (given.caption) {
      const line = element('p', '', given.caption)
      line.title = given.caption
      head.append(line)
    }
    made.append(head)
  }
  if (!given.tiles.length) {
    made.append(element('p', 'empty', given.empty))
    return made
  }
  const tiles = element('div', 'tiles')
  tiles.style.gridTemplateColumns = `repeat(auto-fill, minmax(${Number(data.tileWidth)}px, 1fr))`
  tiles.append(...given.tiles.map((tile) => button(tile, data.picked)))
  made.append(tiles)
  return made
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector('.gallery')
  // The same data comes again with every script run: rebuilding would make the pictures flicker.
  const version = JSON.stringify(data)
  if (root.shown !== version) {
    root.shown = version
    root.style.gridTemplateColumns = `repeat(${data.columns.length}, minmax(0, 1fr))`
    root.replaceChildren(...data.columns.map((given) => column(given, data)))
  }
  const link = (on) => (event) => {
    const id = event.target.closest?.('button')?.dataset.id
    if (id === undefined) return
    root.querySelectorAll(`button[data-id="${CSS.escape(id)}"]`).forEach((tile) => tile.classList.toggle('linked', on))
  }
  root.onmouseover = link(true)
  root.onmouseout = link(false)
  root.addEventListener('focusin', (root.focusing ??= link(true)))
  root.addEventListener('focusout', (root.leaving ??= link(false)))
  root.onclick = (event) => {
    const tile = event.target.closest('button')
    if (tile) setTriggerValue('picked', tile.dataset.id)
  }
}
