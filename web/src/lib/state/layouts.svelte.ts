import { untrack } from 'svelte';
import { asFolder, parseLayout, type Layout } from '../route';
import { router } from './router.svelte';

const KEY = 'holdfast.layout';

/** How folders are laid out for who has an account: the address says it, and this browser remembers what was chosen last. */
class Layouts {
  #kept: Layout = $state(parseLayout(localStorage.getItem(KEY)) ?? 'list');
  readonly current: Layout = $derived(of(router.route) ?? this.#kept);

  choose(layout: Layout): void {
    this.#kept = layout;
    localStorage.setItem(KEY, layout);
    this.#write(layout);
  }

  /** Keeps the view's address complete; called where a view of folders begins. */
  follow(): void {
    $effect(() => {
      const said = of(router.route);
      untrack(() => {
        // As with the order: a link from somebody else is followed, and changes nobody's habit.
        if (said !== undefined) this.#kept = said;
        else if (this.#kept !== 'list') this.#write(this.#kept);
      });
    });
  }

  #write(layout: Layout): void {
    const route = asFolder(router.route);
    if (route) router.go({ ...route, layout }, { replace: true });
  }
}

function of(route: typeof router.route): Layout | undefined {
  return asFolder(route)?.layout;
}

export const layouts = new Layouts();
