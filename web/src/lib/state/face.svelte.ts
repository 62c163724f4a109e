import type { Accents } from '../accent';
import { service as ask } from '../api/session';
import type { Service } from '../api/types';

const KEY = 'holdfast.service';
/** How long a browser that has never been here waits for the service's face before it shows the house's. */
const BLINK_MS = 250;

/** What of a service is seen before anything is read. */
interface Shown extends Pick<Service, 'name' | 'logo'> {
  /** Its colour, made fit to be read; none: the house's. */
  accents: Accents | null;
}

/**
 * What the service says of itself. Its face is kept in the browser, so that the next visit begins with it: no other name
 * and no other colour flashes up before the answer is there.
 */
class Face {
  /** All that it says; none until it has answered. */
  said: Service | null = $state.raw(null);
  /** Why it has not. */
  problem: unknown = $state.raw(null);
  /** Without a name until one is known. */
  shown: Shown = $state.raw(kept() ?? { name: '', logo: null, accents: null });

  #first: Promise<void> | undefined;

  constructor() {
    paint(this.shown);
  }

  /** Asks for the first time; whatever else needs the answer does not ask twice. */
  begin(): Promise<void> {
    return (this.#first ??= this.refresh());
  }

  /** Until there is a face to show, or a blink has passed. */
  async seen(): Promise<void> {
    if (this.shown.name !== '') return;
    await Promise.race([this.begin(), new Promise((done) => setTimeout(done, BLINK_MS))]);
  }

  async refresh(): Promise<void> {
    try {
      await this.take(await ask());
    } catch (error) {
      // The page works without; what matters complains for itself.
      this.problem = error;
      if (this.shown.name === '') this.shown = { ...this.shown, name: 'Holdfast' };
    }
  }

  /** Shows the whole page what the service says now. */
  async take(said: Service): Promise<void> {
    // Not every service has a colour of its own, and the page can be read without it.
    const derived = said.colour ? await import('../accent').catch(() => null) : null;
    const accents = derived?.accents(said.colour) ?? null;
    this.said = said;
    this.problem = null;
    this.shown = { name: said.name, logo: said.logo ?? null, accents };
    localStorage.setItem(KEY, JSON.stringify(this.shown));
    paint(this.shown);
  }
}

/** The whole address of a logo: the service names it from its own top, which may lie below a path. */
export function logoAddress(logo: string): string {
  return new URL(logo.replace(/^\//, ''), document.baseURI).href;
}

/** Colours the page, and its mark in the browser's bar. */
function paint({ logo, accents }: Shown): void {
  const { style } = document.documentElement;
  for (const look of ['light', 'dark'] as const) {
    const shade = accents?.[look];
    style.setProperty(`--own-${look}`, shade?.accent ?? '');
    style.setProperty(`--own-${look}-ink`, shade?.ink ?? '');
    style.setProperty(`--own-${look}-soft`, shade?.soft ?? '');
  }
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  if (icon === null) return;
  icon.type = logo === null ? 'image/svg+xml' : '';
  icon.href = logo === null ? './favicon.svg' : logoAddress(logo);
}

function kept(): Shown | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Shown | null;
  } catch {
    return null;
  }
}

export const face = new Face();
