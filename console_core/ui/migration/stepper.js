const SIGNS = { done: "✓", problem: "!" };
const SPOKEN = { done: "done", now: "now", problem: "needs you", open: "to come" };

function part(name, text) {
  const element = document.createElement("div");
  element.className = name;
  element.textContent = text;
  return element;
}

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector("ol");
  list.replaceChildren(
    ...data.steps.map(({ title, mark, note }, place) => {
      const item = document.createElement("li");
      item.className = mark;
      if (mark !== "open") item.classList.add("reached");
      if (mark === "now" || mark === "problem") item.setAttribute("aria-current", "step");
      item.setAttribute("aria-label", [title, SPOKEN[mark], note].filter(Boolean).join(", "));
      item.append(part("dot", SIGNS[mark] ?? String(place + 1)), part("title", title));
      if (note) item.append(part("note", note));
      return item;
    }),
  );
}
