/** Whether a file says of itself that it is a PDF. Where its type says nothing, its name does. */
export function isPdf(type: string | null, name: string): boolean {
  if (type === null || type.startsWith('application/octet-stream')) return /\.pdf$/i.test(name);
  return /^application\/(x-)?pdf\b/.test(type);
}
