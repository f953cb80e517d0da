import type { Readable } from 'node:stream';

/**
 * What the group of `pattern` matches in a program's output. Once that is found nothing more is searched: a log that
 * grows all the while would take the time of those who measure.
 */
export function foundIn(stream: Readable, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const search = (chunk: string) => {
      text += chunk;
      const found = pattern.exec(text)?.[1];
      if (found === undefined) return;
      stream.off('data', search).resume();
      resolve(found);
    };
    stream.setEncoding('utf8').on('data', search);
  });
}
