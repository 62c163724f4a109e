/** Paths of files: lists of names inside the page, absolute texts in requests. No I/O, no state. */

/** `['a', 'b c']` as a request's address carries it: `a/b%20c`. */
export function encode(names: readonly string[]): string {
  return names.map(encodeURIComponent).join('/');
}

/** The names in an absolute path; a slash at its end changes nothing. */
export function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/** The absolute path of names: `/a/b c`; the root is `/`. */
export function join(names: readonly string[]): string {
  return `/${names.join('/')}`;
}

/** `holiday.jpg` as `['holiday', '.jpg']`; a leading dot starts no ending. */
export function stem(name: string): [string, string] {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
}

/** The first of `name`, `name (2)`, `name (3)` … that is not taken. */
export function free(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  const [front, ending] = stem(name);
  let count = 2;
  while (taken(`${front} (${count})${ending}`)) count += 1;
  return `${front} (${count})${ending}`;
}

/** Whether `path` is `folder` or lies in it. */
export function within(path: readonly string[], folder: readonly string[]): boolean {
  return folder.every((name, index) => path[index] === name);
}

/**
 * Order of names as the service lists them: by their UTF-8 bytes, which is the order of code points. The order of
 * UTF-16, which `<` has, differs where a name leaves the basic plane.
 */
export function compare(a: string, b: string): number {
  let index = 0;
  while (index < a.length && index < b.length) {
    const [left, right] = [a.codePointAt(index) ?? 0, b.codePointAt(index) ?? 0];
    if (left !== right) return left - right;
    index += left > 0xffff ? 2 : 1;
  }
  return a.length - b.length;
}
