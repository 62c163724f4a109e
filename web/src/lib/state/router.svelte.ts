import { BASE } from '../base';
import { parse, write, type Route } from '../route';

/** Marks what was reached from within the page, so that there is a way back. */
const INSIDE = { inside: true };

/** Where the page stands; the browser's history is the truth, this follows it. */
class Router {
  route: Route = $state.raw(read());

  constructor() {
    const follow = () => (this.route = read());
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
  }

  /** The address of a route, for links. */
  href(route: Route): string {
    return BASE + write(route);
  }

  go(route: Route, { replace = false } = {}): void {
    if (replace) history.replaceState(history.state, '', this.href(route));
    else history.pushState(INSIDE, '', this.href(route));
    this.route = route;
    if (!replace) scrollTo(0, 0);
  }

  /** Leaves something that lies above `route`: back to where it was opened, or there if it was opened by its address. */
  leave(route: Route): void {
    if (history.state === null) this.go(route, { replace: true });
    else history.back();
  }
}

function read(): Route {
  const path = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : location.pathname;
  return parse(path, location.search, location.hash);
}

export const router = new Router();

/**
 * Action for links within the page: a plain click changes the route, every other click (new tab, new window) stays
 * the browser's own.
 */
export function link(anchor: HTMLAnchorElement, route: Route) {
  let target = route;
  anchor.href = router.href(route);
  const click = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.go(target);
  };
  anchor.addEventListener('click', click);
  return {
    update(next: Route) {
      target = next;
      anchor.href = router.href(next);
    },
    destroy: () => anchor.removeEventListener('click', click),
  };
}
