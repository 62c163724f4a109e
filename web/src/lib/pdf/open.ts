/**
 * Opens PDFs. They are read in a worker of their own and drawn onto canvases here; nothing that is written in one is ever
 * run: no scripts of its forms, no code made of its fonts, no links to follow.
 */

import { getDocument, PDFWorker, TextLayer, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import Thread from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?worker';

/** Files up to here are fetched whole: one request instead of many. Of a longer one comes what is looked at. */
const WHOLE_MAX = 2_000_000;
/** Bytes that are asked for at once of a longer one. */
const PIECE = 256 * 1024;
/** Points of a picture in a page. A larger one is left out, before it takes the memory of the tab. */
const PICTURE_MAX = 64_000_000;

export interface Opened {
  document: Promise<PDFDocumentProxy>;
  close: () => void;
}

export function open(address: string, bytes: number): Opened {
  const thread = new Thread();
  const worker = PDFWorker.create({ port: thread });
  const task = getDocument({
    url: address,
    worker,
    isEvalSupported: false,
    enableXfa: false,
    useWasm: false,
    maxImageSize: PICTURE_MAX,
    disableRange: bytes <= WHOLE_MAX,
    disableStream: bytes > WHOLE_MAX,
    disableAutoFetch: true,
    rangeChunkSize: PIECE,
    verbosity: 0,
  });
  return {
    document: task.promise,
    close: () => {
      const end = () => {
        thread.terminate();
        TextLayer.cleanup();
      };
      void task.destroy().then(end, end);
    },
  };
}

/** Whether a document was refused because it wants a password of its own. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && error.name === 'PasswordException';
}
