/** How long something must be in sight before it counts: what flies past while scrolling is not asked for. */
const STAY_MS = 90;

const waiting = new WeakMap<Element, { seen: () => void; timer?: ReturnType<typeof setTimeout> }>();

// One for all: a list has many rows, and each observer costs.
const observer = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const one = waiting.get(target);
    if (one === undefined) continue;
    clearTimeout(one.timer);
    if (isIntersecting) one.timer = setTimeout(one.seen, STAY_MS);
  }
});

/** Action: calls back once the element is in sight, and stays there for a moment. */
export function seen(element: Element, callback: () => void) {
  const end = () => {
    observer.unobserve(element);
    clearTimeout(waiting.get(element)?.timer);
    waiting.delete(element);
  };
  waiting.set(element, {
    seen: () => {
      end();
      callback();
    },
  });
  observer.observe(element);
  return { destroy: end };
}
