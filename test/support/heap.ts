import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { eventually } from './app.js';
import type { Program } from './program.js';

/** For `aProgram`: its heap can be looked into. */
export const INSPECTED = ['--inspect=127.0.0.1:0'];

export interface HeapState {
  /** After a forced collection. */
  usedBytes: number;
  /** How many objects of each class live. */
  objects: ReadonlyMap<string, number>;
}

/** Looks into a program that was started with INSPECTED, by the protocol that DevTools speaks. */
export async function aHeapReader(program: Program): Promise<() => Promise<HeapState>> {
  const url = await eventually(
    async () => /Debugger listening on (ws:\S+)/.exec(program.log())?.[1],
    'its inspector is up',
  );
  const socket = new WebSocket(url, { maxPayload: 0 });
  onTestFinished(() => socket.close());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const answers = new Map<number, (result: unknown) => void>();
  let chunks: string[] = [];
  let calls = 0;
  socket.on('message', (text) => {
    const { id, method, params, result } = message.parse(JSON.parse(String(text)));
    if (method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(params?.chunk ?? '');
    if (id !== undefined) answers.get(id)?.(result);
  });
  const call = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve) => {
      const id = ++calls;
      answers.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });

  return async () => {
    // Twice: what a finalizer lets go of in the first one is collected by the second.
    for (let times = 0; times < 2; times++) await call('HeapProfiler.collectGarbage');
    const { usedSize } = usage.parse(await call('Runtime.getHeapUsage'));
    chunks = [];
    await call('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    const objects = countObjects(snapshot.parse(JSON.parse(chunks.join(''))));
    chunks = [];
    return { usedBytes: usedSize, objects };
  };
}

const message = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.object({ chunk: z.string().optional() }).optional(),
  result: z.unknown().optional(),
});
const usage = z.object({ usedSize: z.number() });
/** https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler: each node is a run of numbers, named by `meta`. */
const snapshot = z.object({
  snapshot: z.object({
    meta: z.object({
      node_fields: z.array(z.string()),
      node_types: z.tuple([z.array(z.string())]).rest(z.unknown()),
    }),
  }),
  nodes: z.custom<number[]>(Array.isArray),
  strings: z.custom<string[]>(Array.isArray),
});

function countObjects({ snapshot: { meta }, nodes, strings }: z.infer<typeof snapshot>): Map<string, number> {
  const [type, name, width] = [
    meta.node_fields.indexOf('type'),
    meta.node_fields.indexOf('name'),
    meta.node_fields.length,
  ];
  const counted = ['object', 'closure'].map((kind) => meta.node_types[0].indexOf(kind));
  const counts = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += width) {
    if (!counted.includes(nodes[at + type] ?? -1)) continue;
    const className = strings[nodes[at + name] ?? -1] ?? '';
    counts.set(className, (counts.get(className) ?? 0) + 1);
  }
  return counts;
}
