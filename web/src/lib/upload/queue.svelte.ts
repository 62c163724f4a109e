import { OWN, Root } from '../api/files';
import type { Problem } from '../api/http';
import type { Planned } from './arrange';
import { placeOf, UploadItem } from './item.svelte';
import { Rate } from './rate';
import type { Attempt } from './send';
import { NOTHING, tally, type Tally } from './tally';
import { ownTab } from './tabs';
import { keep, takeUp } from './unfinished';

const PARALLEL = 3;
/** Refusals of one file that may pass, after which it counts as failed. */
const REFUSALS_MAX = 6;
const WAIT_MIN_S = 2;
const WAIT_MAX_S = 30;
/** How often figures are shown. */
const TICK_MS = 500;
/** Ticks between two notes of what is unfinished, which are long for many thousands of files. */
const NOTE_TICKS = 6;

/** All uploads of this page, three at a time. It lives as long as the page, whatever view is shown. */
export class Queue {
  items: readonly UploadItem[] = $state.raw([]);
  /** Figures over all items, as of the last tick: thousands of items cannot be summed at every byte. */
  tally: Tally = $state.raw(NOTHING);
  /** Files that were chosen and left out, since what is at its end was last cleared. */
  skipped = $state(0);
  rate = $state(0);
  paused = $state(false);
  /** Seconds until the next try if the service does not answer. */
  away: number | null = $state(null);
  signedOut = $state(false);

  #account: string | null = null;
  /** The name of this tab, once what it has to take up for the account was taken up: before, nothing is noted. */
  #tab: string | null = null;
  #running = new Map<UploadItem, Attempt>();
  #speed = new Rate();
  #sent = 0;
  #ticks = 0;
  #wait = WAIT_MIN_S;
  #retryAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #listeners = new Set<(item: UploadItem) => void>();

  constructor() {
    addEventListener('online', () => this.#comeBack());
    addEventListener('pagehide', () => this.#note());
    addEventListener('beforeunload', (event) => {
      if (this.tally.active > 0) event.preventDefault();
    });
  }

  /** Goes on for an account, or a guest's link, or waits while nobody is signed in; `own` is where its files go. */
  attach(account: string | null, own: Root = OWN): void {
    this.signedOut = account === null;
    if (account === null) return this.#halt();
    if (account !== this.#account) {
      this.#halt();
      this.#account = account;
      this.#tab = null;
      this.items = [];
      this.skipped = 0;
      void this.#takeUp(account, own);
    }
    this.#go();
  }

  async #takeUp(account: string, own: Root): Promise<void> {
    const tab = await ownTab();
    const kept = await takeUp(tab, account);
    // Meanwhile it may have become another's turn, and this one's again.
    if (this.#account !== account || this.#tab !== null) return;
    const lost = kept.map(({ shared, path, size, modified, url }) => {
      const item = new UploadItem(shared === undefined ? own : new Root(shared), path, size, modified, null);
      item.url = url;
      item.state = 'lost';
      return item;
    });
    this.#tab = tab;
    this.items = [...lost, ...this.items];
    this.#go();
  }

  /** Tells of each file that has become a version. */
  onDone(listener: (item: UploadItem) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `skipped` of those that were chosen do not go. */
  add(planned: readonly Planned[], skipped = 0): void {
    this.skipped = this.items.length + planned.length === 0 ? 0 : this.skipped + skipped;
    const lost = grouped(this.#of('lost'), (item) => item.place);
    const fresh: UploadItem[] = [];
    for (const { root, path, file } of planned) {
      const same = lost.get(placeOf(root, path)) ?? [];
      const at = same.findIndex((candidate) => candidate.isOf(file));
      const item = at < 0 ? undefined : same.splice(at, 1)[0];
      if (item !== undefined) this.#adopt(item, file);
      else fresh.push(new UploadItem(root, path, file.size, file.lastModified, file));
    }
    this.items = [...this.items, ...fresh];
    this.#go();
  }

  /** Takes up uploads that lost their files, by name, size and time; returns how many. */
  reunite(files: Iterable<File>): number {
    const key = (name: string, size: number, modified: number) => `${size} ${modified} ${name}`;
    const lost = grouped(this.#of('lost'), (item) => key(item.name, item.size, item.modified));
    let count = 0;
    for (const file of files) {
      const item = lost.get(key(file.name, file.size, file.lastModified))?.shift();
      if (item === undefined) continue;
      this.#adopt(item, file);
      count += 1;
    }
    this.#go();
    return count;
  }

  pause(item: UploadItem): void {
    if (item.state !== 'waiting' && item.state !== 'sending') return;
    this.#stop(item);
    item.state = 'paused';
    this.#go();
  }

  resume(item: UploadItem): void {
    if (item.state !== 'paused' && item.state !== 'failed') return;
    item.refusals = 0;
    item.problem = null;
    item.state = item.file === null ? 'lost' : 'waiting';
    this.#go();
  }

  /** Stops for good. What arrived is thrown away. */
  stop(item: UploadItem): void {
    this.#stop(item);
    item.state = 'stopped';
    const { url } = item;
    if (url !== null) void import('./send').then(({ giveUp }) => giveUp(url));
    this.#go();
  }

  pauseAll(): void {
    this.paused = true;
    this.#halt();
  }

  resumeAll(): void {
    this.paused = false;
    for (const item of this.#of('paused')) item.state = 'waiting';
    this.#comeBack();
  }

  retryFailed(): void {
    for (const item of this.#of('failed')) this.resume(item);
  }

  /** Takes what is at its end off the list. */
  clear(): void {
    this.items = this.items.filter((item) => item.state !== 'done' && item.state !== 'stopped');
    this.skipped = 0;
    this.#tick();
  }

  forget(): void {
    this.items = this.items.filter((item) => item.state !== 'lost');
    this.#tick();
  }

  #of(state: UploadItem['state']): UploadItem[] {
    return this.items.filter((item) => item.state === state);
  }

  #adopt(item: UploadItem, file: File): void {
    item.file = file;
    item.state = 'waiting';
  }

  #go(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#fill();
    // While all are busy the timer is enough: figures over thousands of files are not summed for each of them.
    if (this.#running.size < PARALLEL) this.#tick();
  }

  /** Begins as many as may run. */
  #fill(): void {
    if (this.paused || this.signedOut || this.away !== null) return;
    for (const item of this.items) {
      if (this.#running.size >= PARALLEL) return;
      if (item.state === 'waiting') this.#begin(item);
    }
  }

  #begin(item: UploadItem): void {
    const file = item.file;
    if (file === null) return;
    item.state = 'sending';
    let stopped = false;
    let sending: Attempt | undefined;
    this.#running.set(item, {
      stop: () => {
        stopped = true;
        sending?.stop();
      },
    });
    // The client comes with the first upload: looking at files does not need it.
    import('./send').then(
      ({ attempt }) => {
        if (stopped) return;
        sending = attempt(item, file, {
          done: () => this.#done(item),
          failed: (problem) => void this.#failed(item, file, problem),
        });
      },
      () => {
        if (stopped) return;
        this.#running.delete(item);
        item.state = 'waiting';
        this.#leave();
      },
    );
  }

  #done(item: UploadItem): void {
    this.#running.delete(item);
    item.sent = item.size;
    item.state = 'done';
    item.file = null;
    this.#wait = WAIT_MIN_S;
    for (const listener of this.#listeners) listener(item);
    this.#go();
  }

  async #failed(item: UploadItem, file: File, problem: Problem): Promise<void> {
    // What sends knows how to read, and is there already.
    const readable = problem.status !== 0 || (await import('./send').then(({ isReadable }) => isReadable(file)));
    // It may have been paused or stopped while the file was looked at.
    if (!this.#running.delete(item)) return;
    item.state = 'waiting';
    if (!readable) {
      item.problem = 'unreadable';
      item.state = 'failed';
    } else if (problem.status === 401) {
      this.signedOut = true;
      this.#halt();
    } else if (problem.passing || (problem.status === 409 && problem.code !== 'request_full')) {
      item.refusals += problem.status === 0 ? 0 : 1;
      if (item.refusals >= REFUSALS_MAX) this.#refuse(item, problem);
      else this.#leave();
    } else {
      this.#refuse(item, problem);
    }
    this.#go();
  }

  #refuse(item: UploadItem, problem: Problem): void {
    item.problem = problem;
    item.state = 'failed';
  }

  /** Waits for the service, longer each time. */
  #leave(): void {
    if (this.away !== null) return;
    this.away = this.#wait;
    this.#retryAt = performance.now() + this.#wait * 1000;
    this.#wait = Math.min(WAIT_MAX_S, this.#wait * 2);
  }

  #comeBack(): void {
    this.away = null;
    this.#go();
  }

  #stop(item: UploadItem): void {
    this.#running.get(item)?.stop();
    this.#running.delete(item);
  }

  /** Stops sending; everything waits. */
  #halt(): void {
    for (const item of [...this.#running.keys()]) {
      this.#stop(item);
      item.state = 'waiting';
    }
    this.#tick();
  }

  #tick(): void {
    const now = performance.now();
    const all = tally(this.items);
    this.#speed.note(all.sent, now);
    this.rate = this.#running.size === 0 ? 0 : this.#speed.value;
    // Bytes that went show that the service is there, long before a large file is done.
    if (all.sent > this.#sent) this.#wait = WAIT_MIN_S;
    this.#sent = all.sent;
    this.tally = all;
    this.#ticks += 1;
    if (this.away !== null) {
      this.away = Math.max(0, Math.ceil((this.#retryAt - now) / 1000));
      if (this.away === 0) this.#comeBack();
    }
    if (this.#running.size === 0 && this.away === null) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#speed = new Rate();
    }
    if (this.#ticks % NOTE_TICKS === 0 || this.#timer === undefined) this.#note();
  }

  #note(): void {
    if (this.#account === null || this.#tab === null) return;
    const open = this.items.filter(({ state }) => state !== 'done' && state !== 'stopped');
    keep(
      this.#tab,
      this.#account,
      open.map(({ root: { shared }, path, size, modified, url }) => ({
        ...(shared === null ? {} : { shared }),
        path: [...path],
        size,
        modified,
        url,
      })),
    );
  }
}

/** Items by a key: a guest may send several files of one name, and each is taken up once. */
function grouped(items: readonly UploadItem[], key: (item: UploadItem) => string): Map<string, UploadItem[]> {
  const groups = new Map<string, UploadItem[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

export const queue = new Queue();
