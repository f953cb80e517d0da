/** Path and query of an address that the server made for PUBLIC_URL: this page may have been opened by another name. */
export function hereOf(address: string): string {
  const { pathname, search } = new URL(address, window.location.href);
  return `${pathname}${search}`;
}

/** Fetches a file of the server's with the session of the browser and has the browser save it. @throws Error for people */
export async function saveAs(filename: string, address: string): Promise<void> {
  // Only the path: the session gives access, and the signature in the link may have expired.
  const { pathname } = new URL(address, window.location.href);
  const response = await fetch(pathname);
  if (!response.ok) throw new Error(`The file cannot be downloaded: the server answers ${response.status}.`);
  saveBlob(filename, await response.blob());
}

/** Has the browser save a file that the page made. */
export function saveBlob(filename: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = filename;
  link.click();
  URL.revokeObjectURL(link.href);
}
