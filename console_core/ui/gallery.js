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

function column(given, data, titled) {
  const made = element('section', 'column')
  if (titled) {
    const head = element('header')
    if (given.title) head.append(element('h3', '', given.title))
    if (given.caption) head.append(element('p', '', given.caption))
    made.append(head)
  }
  if (!given.tiles.length) {
    made.append(element('p', 'empty', given.empty))
    return made
  }
  const tiles = element('div', 'tiles')
  if (!data.below) tiles.style.gridTemplateColumns = `repeat(auto-fill, minmax(${Number(data.tileWidth)}px, 1fr))`
  tiles.append(...given.tiles.map((tile) => button(tile, data.picked)))
  made.append(tiles)
  return made
}

// How tiles fill a box, each with a line of facts below it: their side, how many stand abreast, and how many are shown.
// It is six of them, or more where their pictures take more of the box together then.
function filling(tiles, width, height, facts, gap) {
  let best = { side: 0, abreast: 1, shown: tiles }
  for (let abreast = 1; abreast <= tiles; abreast++) {
    for (let lines = 1; (lines - 1) * abreast < tiles; lines++) {
      const shown = Math.min(tiles, abreast * lines)
      const side = Math.min((width - (abreast - 1) * gap) / abreast, (height - (lines - 1) * gap) / lines - facts)
      if (shown >= Math.min(6, tiles) && side > 0 && shown * side ** 2 > best.shown * best.side ** 2) best = { side, abreast, shown }
    }
  }
  return best
}

// Make the tiles of a stage as large as the window has room for, all of them alike, from where they begin to `below`
// pixels over its lower edge.
function fill(root, below) {
  const columns = [...root.querySelectorAll('.tiles')]
  if (!columns.length || !root.isConnected) return
  const page = root.getRootNode().host?.closest('[data-testid="stMain"]')
  const top = Math.max(...columns.map((tiles) => tiles.getBoundingClientRect().top)) + (page?.scrollTop ?? 0)
  const facts = (root.querySelector('.facts')?.offsetHeight ?? 0) + 2
  const most = Math.max(...columns.map((tiles) => tiles.childElementCount))
  const gap = parseFloat(getComputedStyle(columns[0]).rowGap) || 0
  const width = Math.min(...columns.map((tiles) => tiles.parentElement.clientWidth))
  const { side, abreast, shown } = filling(most, width, window.innerHeight - top - below, facts, gap)
  for (const tiles of columns) {
    tiles.style.gridTemplateColumns = `repeat(${abreast}, minmax(0, ${Math.max(96, Math.floor(side))}px))`
    ;[...tiles.children].forEach((tile, place) => (tile.hidden = place >= shown))
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector('.gallery')
  // The same data comes again with every script run: rebuilding would make the pictures flicker.
  const version = JSON.stringify(data)
  if (root.shown !== version) {
    root.shown = version
    root.style.gridTemplateColumns = `repeat(${data.columns.length}, minmax(0, 1fr))`
    const titled = data.columns.some((given) => given.title || given.caption)
    root.classList.toggle('titled', titled)
    root.classList.toggle('stage', Boolean(data.below))
    root.replaceChildren(...data.columns.map((given) => column(given, data, titled)))
  }
  root.fitting?.disconnect()
  if (data.below) {
    root.fitting = new ResizeObserver(() => requestAnimationFrame(() => fill(root, data.below)))
    root.fitting.observe(document.documentElement)
    root.fitting.observe(root)
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
