import { encode } from './path';

/** Everything that an address of the page can mean. */
export type Route =
  | { view: 'files'; path: string[]; open?: string }
  | { view: 'trash' | 'shares' | 'account' | 'people' | 'fleet' | 'login' | 'unknown' }
  | { view: 'join' | 'reset'; code: string }
  | { view: 'guest'; code: string; path: string[]; open?: string };

export type View = Route['view'];

/** Views that need no session. */
export const PUBLIC: ReadonlySet<View> = new Set<View>(['join', 'reset', 'guest']);

/** Reads the part of an address behind the base path. */
export function parse(path: string, search: string, hash: string): Route {
  const names = decode(path);
  if (names === null) return { view: 'unknown' };
  const [first, ...rest] = names;
  const open = new URLSearchParams(search).get('open');
  const opened = open === null ? {} : { open };
  switch (first) {
    case undefined:
      return { view: 'files', path: [], ...opened };
    case 'files':
      return { view: 'files', path: rest, ...opened };
    case 's': {
      const [code, ...below] = rest;
      return code === undefined ? { view: 'unknown' } : { view: 'guest', code, path: below, ...opened };
    }
    case 'join':
    case 'reset':
      return { view: first, code: hash.replace(/^#/, '') };
    case 'trash':
    case 'shares':
    case 'account':
    case 'people':
    case 'fleet':
    case 'login':
      return { view: first };
    default:
      return { view: 'unknown' };
  }
}

/** Writes the address of a route, behind the base path. */
export function write(route: Route): string {
  switch (route.view) {
    case 'files':
      return (route.path.length === 0 ? '' : `files/${encode(route.path)}/`) + query(route.open);
    case 'guest':
      return encode(['s', route.code, ...route.path]) + (route.path.length === 0 ? '' : '/') + query(route.open);
    case 'join':
    case 'reset':
      return `${route.view}#${route.code}`;
    case 'unknown':
      return '';
    default:
      return route.view;
  }
}

function query(open: string | undefined): string {
  return open === undefined ? '' : `?open=${encodeURIComponent(open)}`;
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
