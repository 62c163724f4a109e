/** Thumbnails that do not come: those that never will are asked for once, those that are being made a few times. */

/** How often a service that is busy is asked, and how long it is waited at most. */
const TRIES = 5;
const WAIT_MAX_MS = 20_000;
/** Addresses without a thumbnail that are remembered. An address has its version in it, so this stays true. */
const NONE_MAX = 5000;

const none = new Set<string>();

export function hasNone(address: string): boolean {
  return none.has(address);
}

/** What to do with a thumbnail that failed: returns whether it is there now, and waits while the service is busy. */
export async function again(address: string, signal: AbortSignal): Promise<boolean> {
  // A picture's error says nothing of its cause, so the same is asked once more by a means that does.
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    const response = await fetch(address, { credentials: 'same-origin', signal }).catch(() => null);
    if (response?.ok) {
      // What comes and is no picture would fail again, and for ever.
      const sound = await response.blob().then(createImageBitmap).catch(() => null);
      sound?.close();
      if (sound) return true;
    }
    if (response && response.status !== 503 && response.status !== 429) {
      if (none.size >= NONE_MAX) none.clear();
      none.add(address);
      return false;
    }
    const asked = Number(response?.headers.get('Retry-After') ?? NaN) * 1000;
    const wait = Math.min(WAIT_MAX_MS, asked > 0 ? asked : 2000 * (tries + 1));
    // Not all of a page at the same moment.
    await pause(wait * (1 + Math.random() / 2), signal);
  }
  return false;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true });
  });
}
