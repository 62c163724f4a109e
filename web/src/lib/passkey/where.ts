/** Whether passkeys can work here. Small, since the page asks it before anything of passkeys is loaded. */

/** Why they cannot: no TLS, reached by a number in place of a name, or a browser without them. */
export type Hindrance = 'insecure' | 'number' | 'browser';

/** None where they can work. */
export function hindrance(): Hindrance | null {
  // A browser ties passkeys to a name, and takes nobody's word for one without TLS.
  if (/^[\d.]+$|^\[/.test(location.hostname)) return 'number';
  if (!isSecureContext) return 'insecure';
  return typeof PublicKeyCredential === 'undefined' ? 'browser' : null;
}
