import type { Page } from 'playwright-core';

export interface GivenFile {
  name: string;
  bytes: Uint8Array;
  /** Zeros after them, which the page makes itself: large files travel slowly to a browser under test. */
  zeros?: number;
}

/** Drags files onto the page, as from a file manager. */
export async function dropOnPage(page: Page, files: readonly GivenFile[]): Promise<void> {
  await untilThere(page);
  const given = files.map(({ name, bytes, zeros = 0 }) => ({
    name,
    zeros,
    base64: Buffer.from(bytes).toString('base64'),
  }));
  const dataTransfer = await page.evaluateHandle(`(() => {
    const data = new DataTransfer();
    for (const { name, base64, zeros } of ${JSON.stringify(given)}) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      data.items.add(new File([bytes, new Uint8Array(zeros)], name));
    }
    return data;
  })()`);
  await page.dispatchEvent('main', 'dragover', { dataTransfer });
  await page.dispatchEvent('main', 'drop', { dataTransfer });
}

/** Ctrl+V while nothing has the focus. */
export async function pasteOnPage(page: Page, text: string): Promise<void> {
  await untilThere(page);
  await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.setData('text/plain', ${JSON.stringify(text)});
    const event = { clipboardData: data, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new ClipboardEvent('paste', event));
  })()`);
}

async function untilThere(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Decode a crash' }).waitFor();
}
