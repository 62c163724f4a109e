import { BASE } from '../base';
import { parse, write, type Route } from '../route';

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
    history[replace ? 'replaceState' : 'pushState'](null, '', this.href(route));
    this.route = route;
    if (!replace) scrollTo(0, 0);
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
