// A button and the key F for the browser's full screen, and Page Up and Page Down, which is what a presenter's remote
// control sends, for the two buttons that move. Escape leaves full screen first: the browser takes it.
const TYPED = 'input, textarea, select, [contenteditable="true"]'
const PRESSED = { PageUp: '.st-key-stage-back button', PageDown: '.st-key-stage-next button' }

function toggle() {
  if (document.fullscreenElement) document.exitFullscreen()
  else document.documentElement.requestFullscreen().catch(() => undefined)
}

export default function (component) {
  const button = component.parentElement.querySelector('button')
  const allowed = document.fullscreenEnabled
  const say = () => {
    const label = document.fullscreenElement ? 'Leave full screen' : 'Full screen'
    button.querySelector('span').textContent = allowed ? label : 'F11: full screen'
    button.querySelector('kbd').hidden = !allowed
  }
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.composedPath()[0].matches?.(TYPED)) return
    if (allowed && event.key.toLowerCase() === 'f') toggle()
    const other = document.querySelector(PRESSED[event.key] ?? ':not(*)')
    if (other) event.preventDefault()
    other?.click()
  }
  button.disabled = !allowed
  button.onclick = toggle
  say()
  document.addEventListener('fullscreenchange', say)
  window.addEventListener('keydown', press)
  return () => {
    document.removeEventListener('fullscreenchange', say)
    window.removeEventListener('keydown', press)
    if (document.fullscreenElement) document.exitFullscreen()
  }
}
