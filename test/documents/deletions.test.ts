import { describe, expect, it } from 'vitest';
import { documentAt, readText, tableAfter } from './documents.js';

describe('what is deleted when', () => {
  it('is the same in ARCHITECTURE.md and at the top of its source', () => {
    const [comment = ''] = /^\/\*.*?\*\//s.exec(readText('src/coredumps/retention.ts')) ?? [];
    const listed = comment.replaceAll(/\n \*(?: {3})?/g, ' ').matchAll(/ - ([^:]+): (.+?) \((src\/[^)]+)\)/g);

    const rows = tableAfter(documentAt('ARCHITECTURE.md').replaceAll('`', ''), '| what | when | where |');

    expect(rows).toEqual([...listed].map(([, what, when, where]) => [what, when, where]));
  });
});
