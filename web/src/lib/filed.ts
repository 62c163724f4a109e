/** What is filed with a notice, as bytes: their SHA-256, and the document that is announced before it is sent. No state. */
import type { DocumentSaid } from './api/desk';
import type { Receipt } from './api/types';

/** Longest document that a notice takes, in bytes. */
export const DOCUMENT_BYTES_MAX = 8 << 20;
/** Longest words of a notice, in bytes. */
export const NOTICE_BYTES_MAX = 16 << 10;
/** Longest name of a document, in bytes. */
const NAME_BYTES_MAX = 128;

/** In hex digits. Not by the browser's own, which has none on a page without TLS. */
export async function sha256(content: Blob): Promise<string> {
  const [{ sha256 }, { bytesToHex }] = await Promise.all([
    import('@noble/hashes/sha2.js'),
    import('@noble/hashes/utils.js'),
  ]);
  return bytesToHex(sha256(new Uint8Array(await content.arrayBuffer())));
}

/** A document as it is announced. */
export async function announced(document: File): Promise<DocumentSaid> {
  return { name: fitting(document.name), bytes: document.size, sha256: await sha256(document) };
}

/** The length of a text as it is sent. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** A name as short as it may be; its end says what kind of file it is. */
function fitting(name: string): string {
  const letters = [...name];
  while (bytesOf(letters.join('')) > NAME_BYTES_MAX) letters.shift();
  return letters.join('');
}

/** A notice as it was filed: the very bytes that were sent, the answer, and the document that goes after it. */
export interface Filed {
  content: Blob;
  receipt: Receipt;
  /** Whether the receipt names these bytes. */
  same: boolean;
  document: File | null;
}

/** What a receipt says. */
export interface Said {
  notice: string;
  /** When it was filed. */
  at: string;
  /** SHA-256 of what was filed, in hex digits. */
  sha256: string;
  /** Its entry in the ledger. */
  entry: string;
}

/** Reads the lines of a receipt; its signature is for the command to check. */
export function readReceipt(receipt: string): Said {
  const lines = new Map(receipt.split('\n').map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']));
  const of = (key: string) => lines.get(key) ?? '';
  return { notice: of('notice'), at: of('at'), sha256: of('sha256'), entry: of('entry') };
}
