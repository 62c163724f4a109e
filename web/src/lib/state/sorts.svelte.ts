import { untrack } from 'svelte';
import { asFolder } from '../route';
import { parseSort, type Sort } from '../sort';
import { router } from './router.svelte';

const KEY = 'holdfast.sort';

/** The order of folders: the address says it, and this browser remembers what was chosen last. */
class Sorts {
  #kept: Sort = $state(parseSort(localStorage.getItem(KEY)) ?? 'name');
  readonly current: Sort = $derived(of(router.route) ?? this.#kept);

  choose(sort: Sort): void {
    this.#kept = sort;
    localStorage.setItem(KEY, sort);
    this.#write(sort);
  }

  /** Keeps a view's address complete; called where a view that sorts begins. */
  follow(): void {
    $effect(() => {
      const said = of(router.route);
      untrack(() => {
        // A link from somebody else sorts this page, and changes nobody's habit.
        if (said !== undefined) this.#kept = said;
        else if (this.#kept !== 'name') this.#write(this.#kept);
      });
    });
  }

  #write(sort: Sort): void {
    const route = router.route;
    const sorted = route.view === 'guest' ? route : asFolder(route);
    if (sorted) router.go({ ...sorted, sort }, { replace: true });
  }
}

function of(route: typeof router.route): Sort | undefined {
  return route.view === 'guest' ? route.sort : asFolder(route)?.sort;
}

export const sorts = new Sorts();
