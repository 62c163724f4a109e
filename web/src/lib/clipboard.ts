/**
 * Puts a text that is still on its way on the clipboard. Browsers allow it only in answer to a press, and some forget
 * the press while the text is made, so they are given the promise itself where they take one.
 *
 * Returns whether it worked; it never does on a page without TLS, where there is no clipboard.
 */
export async function copy(text: Promise<string>): Promise<boolean> {
  try {
    if (typeof ClipboardItem === 'undefined') {
      await navigator.clipboard.writeText(await text);
    } else {
      const blob = text.then((value) => new Blob([value], { type: 'text/plain' }));
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
    }
    return true;
  } catch {
    return false;
  }
}
