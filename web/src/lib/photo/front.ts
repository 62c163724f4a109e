/** Reads the front of a file and no more, even from a service that sends all of it. */
export async function readFront(address: string, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const headers = { Range: `bytes=0-${bytes - 1}` };
  const response = await fetch(address, { credentials: 'same-origin', headers, signal });
  if (!response.ok || response.body === null) throw new Error(String(response.status));
  const reader = response.body.getReader();
  const front = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, bytes - length);
    front.set(part, length);
    length += part.length;
  }
  void reader.cancel().catch(() => undefined);
  return front.subarray(0, length);
}
