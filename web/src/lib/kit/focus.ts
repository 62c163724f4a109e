/** Action: gives a heading or a button the focus once all of its dialog is shown, so that a screen reader reads on there. */
export function focused(node: HTMLElement) {
  // A heading can have it, but is none of what Tab goes through.
  if (node.tabIndex < 0) node.tabIndex = -1;
  queueMicrotask(() => node.focus());
}

/** Action: scrolls something that appeared into the window, if it is not there. */
export function seen(node: HTMLElement) {
  queueMicrotask(() => node.scrollIntoView({ block: 'nearest' }));
}

/** Action: moves an element to the end of the body while it is there, where it can be printed alone. */
export function onBody(node: HTMLElement) {
  document.body.append(node);
  return { destroy: () => node.remove() };
}
