// A word on a picture counts only once it was there to be seen, and a held key is one word.
const LEAST = 150 // ms that the pictures were on the screen, loaded: nobody sees and answers sooner

function typing(event) {
  return event.composedPath()[0].matches?.('input, textarea, select, [contenteditable]')
}

function digit(event) {
  if (/^\d$/.test(event.key)) return event.key
  return event.shiftKey ? undefined : /^Digit(\d)$/.exec(event.code)?.[1]
}

function images(root) {
  const inside = [...root.querySelectorAll('*')].flatMap((one) => (one.shadowRoot ? images(one.shadowRoot) : []))
  return [...root.querySelectorAll('img'), ...inside]
}

function loaded(image) {
  const { top, bottom } = image.getBoundingClientRect()
  return image.complete || top > innerHeight || bottom < 0 // those out of sight load when they are scrolled to
}

function guard(root) {
  let wanted = {}
  let shown = ''
  let seen = false
  let waiting = 0
  const ours = (event) => event.target.closest?.(`[class*="st-key-${wanted.buttons}-"] button`)
  const open = (on) => (root.dataset.open = String(on))

  function look() {
    const there = images(document)
    const of = (source) => there.filter((image) => image.getAttribute('src') === source)
    if (wanted.sources.every((source) => of(source).length && of(source).every(loaded))) {
      waiting = setTimeout(() => open((seen = true)), LEAST)
    } else {
      waiting = setTimeout(look, 20)
    }
  }

  function pressed(event) {
    if (typing(event) || event.ctrlKey || event.altKey || event.metaKey) return
    const button = document.querySelector(`.st-key-${wanted.buttons}-${digit(event)} button`)
    const focused = event.key === 'Enter' && ours(event)
    if (button) {
      event.preventDefault()
      event.stopImmediatePropagation()
      if (!event.repeat) button.click()
    } else if (event.repeat && (focused || event.key?.toLowerCase() === 'u')) {
      event.preventDefault()
      event.stopImmediatePropagation()
    }
  }

  function clicked(event) {
    if (!ours(event)) return
    if (root.dataset.open === 'true') {
      open(false) // until the answer to this one was drawn
    } else {
      event.preventDefault()
      event.stopImmediatePropagation()
    }
  }

  addEventListener('keydown', pressed, true)
  addEventListener('click', clicked, true)
  return {
    draw(data) {
      if (data.run === wanted.run) return
      wanted = data
      const task = JSON.stringify([data.question, ...data.sources])
      if (task === shown) {
        open(seen)
        return
      }
      shown = task
      open((seen = false))
      clearTimeout(waiting)
      look()
    },
    remove() {
      clearTimeout(waiting)
      removeEventListener('keydown', pressed, true)
      removeEventListener('click', clicked, true)
    },
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.keys')
  root.guard ??= guard(root)
  root.guard.draw(data)
  return root.guard.remove
}
