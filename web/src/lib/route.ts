import { encode } from './path';
import { parseSeek, writeSeek, type Seek } from './seek';
import { parseSort, type Sort } from './sort';

/** How a folder is laid out: as rows, or as squares by day. */
export type Layout = 'list' | 'grid';

/** What the operator says to everybody. */
export const TOPICS = ['terms', 'imprint', 'contact'] as const;
export type Topic = (typeof TOPICS)[number];

/** Everything that an address of the page can mean. */
export type Route =
  | { view: 'files'; path: string[]; open?: string; sort?: Sort; layout?: Layout }
  | { view: 'shared'; id?: string; path: string[]; open?: string; sort?: Sort; layout?: Layout }
  | { view: 'search'; seek: Seek; open?: string }
  | { view: 'trash' | 'shares' | 'account' | 'people' | 'reports' | 'fleet' | 'service' | 'login' | 'unknown' }
  | { view: 'forgot' | 'webhooks' | 'plans' | 'leases' | 'ledger' | 'jobs' | 'stage' }
  | { view: 'notices'; id?: string; firm?: string }
  | { view: 'firm'; name: string }
  | { view: 'desk'; lease: string; token: string }
  | { view: 'oidc'; reason: string }
  | { view: 'about'; topic: Topic }
  | { view: 'join' | 'reset' | 'mail' | 'quick'; code: string }
  | { view: 'guest'; code: string; path: string[]; open?: string; sort?: Sort; layout?: Layout };

export type View = Route['view'];
export type FolderRoute = Extract<Route, { view: 'files' | 'shared' }>;

/** Views that need no session. */
export const PUBLIC: ReadonlySet<View> = new Set<View>(
  ['join', 'reset', 'mail', 'forgot', 'oidc', 'guest', 'about', 'quick', 'desk'],
);

/** Reads the part of an address behind the base path. */
export function parse(path: string, search: string, hash: string): Route {
  const names = decode(path);
  if (names === null) return { view: 'unknown' };
  const [first, ...rest] = names;
  const query = new URLSearchParams(search);
  const open = query.get('open');
  const opened = open === null ? {} : { open };
  const sort = parseSort(query.get('sort'));
  const layout = parseLayout(query.get('view'));
  const sorted = sort === undefined ? opened : { ...opened, sort };
  const shown = layout === undefined ? sorted : { ...sorted, layout };
  switch (first) {
    case undefined:
      return { view: 'files', path: [], ...shown };
    case 'files':
      return { view: 'files', path: rest, ...shown };
    case 'search':
      return { view: 'search', seek: parseSeek(query), ...opened };
    case 'shared': {
      const [id, ...below] = rest;
      return id === undefined ? { view: 'shared', path: [] } : { view: 'shared', id, path: below, ...shown };
    }
    case 's': {
      const [code, ...below] = rest;
      return code === undefined ? { view: 'unknown' } : { view: 'guest', code, path: below, ...shown };
    }
    case 'join':
    case 'reset':
    case 'mail':
    case 'quick':
      // Behind a # it stays out of the logs of whatever lies between; a mail may have it in the path.
      return { view: first, code: rest[0] ?? hash.slice(1) };
    case 'oidc':
      return { view: first, reason: rest[0] ?? '' };
    case 'account':
      return { view: rest[0] === 'webhooks' ? 'webhooks' : first };
    case 'desk':
      return rest[0] === undefined ? { view: 'unknown' } : { view: first, lease: rest[0], token: hash.slice(1) };
    case 'fleet':
      return fleet(rest, query.get('firm'));
    case 'forgot':
    case 'trash':
    case 'shares':
    case 'people':
    case 'plans':
    case 'reports':
    case 'service':
    case 'login':
      return { view: first };
    case 'about': {
      const topic = TOPICS.find((known) => known === rest[0]);
      return topic === undefined ? { view: 'unknown' } : { view: 'about', topic };
    }
    default:
      return { view: 'unknown' };
  }
}

/** The console, or one of the pages below it. */
function fleet([page, one]: string[], firm: string | null): Route {
  switch (page) {
    case undefined:
      return { view: 'fleet' };
    case 'notices':
      if (one !== undefined) return { view: page, id: one };
      return firm === null ? { view: page } : { view: page, firm };
    case 'firms':
      return one === undefined ? { view: 'fleet' } : { view: 'firm', name: one };
    case 'leases':
    case 'ledger':
    case 'jobs':
    case 'stage':
      return { view: page };
    default:
      return { view: 'unknown' };
  }
}

/** The address of a folder, or of a file that is opened in it, in the own tree or in one that is shared. */
export function folderRoute(shared: string | null, path: string[], open?: string): FolderRoute {
  const opened = open === undefined ? {} : { open };
  return shared === null ? { view: 'files', path, ...opened } : { view: 'shared', id: shared, path, ...opened };
}

/** The route as one of a folder with the verbs of its owner or of somebody it is shared with; none if it is another. */
export function asFolder(route: Route): FolderRoute | undefined {
  return route.view === 'files' || (route.view === 'shared' && route.id !== undefined) ? route : undefined;
}

/** What a text means as a layout; none if nothing. */
export function parseLayout(text: string | null): Layout | undefined {
  return text === 'list' || text === 'grid' ? text : undefined;
}

/** Writes the address of a route, behind the base path. */
export function write(route: Route): string {
  switch (route.view) {
    case 'files':
      return (route.path.length === 0 ? '' : `files/${encode(route.path)}/`) + query(route);
    case 'guest':
      return encode(['s', route.code, ...route.path]) + (route.path.length === 0 ? '' : '/') + query(route);
    case 'shared':
      if (route.id === undefined) return 'shared';
      return encode(['shared', route.id, ...route.path]) + (route.path.length === 0 ? '' : '/') + query(route);
    case 'search':
      return `search${query(route, writeSeek(route.seek))}`;
    case 'join':
    case 'reset':
    case 'mail':
    case 'quick':
      return route.code === '' ? route.view : `${route.view}#${route.code}`;
    case 'oidc':
      return `oidc/${route.reason}`;
    case 'webhooks':
      return 'account/webhooks';
    case 'about':
      return `about/${route.topic}`;
    case 'notices':
      if (route.id !== undefined) return encode(['fleet', 'notices', route.id]);
      return route.firm === undefined ? 'fleet/notices' : `fleet/notices?firm=${encodeURIComponent(route.firm)}`;
    case 'firm':
      return encode(['fleet', 'firms', route.name]);
    case 'leases':
    case 'ledger':
    case 'jobs':
    case 'stage':
      return `fleet/${route.view}`;
    case 'desk':
      return `${encode(['desk', route.lease])}${route.token === '' ? '' : `#${route.token}`}`;
    case 'unknown':
      return '';
    default:
      return route.view;
  }
}

type Shown = { open?: string; sort?: Sort; layout?: Layout };

function query({ open, sort, layout }: Shown, all = new URLSearchParams()): string {
  // An owner's list needs no word, a guest's does: without one, what lies in the folder decides.
  if (layout !== undefined) all.set('view', layout);
  if (sort !== undefined) all.set('sort', sort);
  if (open !== undefined) all.set('open', open);
  // A plus for a space is right in a query, but reads like a plus.
  const text = all.toString().replaceAll('+', '%20');
  return text === '' ? '' : `?${text}`;
}

function decode(path: string): string[] | null {
  try {
    return path
      .split('/')
      .filter((name) => name !== '')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
}
