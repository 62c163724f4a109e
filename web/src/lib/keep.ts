/** Gives something that was made in the page to the device, as a file. */
export function keepAs(name: string, content: Blob): void {
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(content);
  // What a name may not have on some system or other.
  anchor.download = name.replace(/[\\/:*?"<>|]/g, '_');
  anchor.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}
