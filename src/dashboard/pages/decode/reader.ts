import type { ReaderAnswer, ReaderQuestion } from './reader-messages';

/** Reads crashes in a worker of this browser. */
export interface Reader {
  /** @throws Error with a sentence for people */
  ask(question: Omit<ReaderQuestion, 'number'>): Promise<ReaderAnswer>;
  /** Ends whatever it does: open questions fail with that sentence, the next one begins anew. */
  stop(why: string): void;
}

/** Loads the worker at once, so that it can read when the server does not answer any more. */
export function createReader(): Reader {
  const waiting = new Map<number, { resolve(answer: ReaderAnswer): void; reject(error: Error): void }>();
  let worker: Worker | null = start();
  let asked = 0;

  function start(): Worker {
    const started = new Worker(new URL('../../decode-worker/decode-worker.ts', import.meta.url), {
      type: 'module',
    });
    started.onmessage = ({ data }: MessageEvent<ReaderAnswer>) => {
      waiting.get(data.number)?.resolve(data);
      waiting.delete(data.number);
    };
    started.onerror = (event) => {
      event.preventDefault();
      stop(
        !(event instanceof ErrorEvent)
          ? 'The reader cannot be loaded: the server cannot be reached, or has a new version. Reload the page.'
          : `The reader ended: ${event.message}. Perhaps the files are too large for this browser.`,
      );
    };
    started.onmessageerror = () => stop('The reader’s answer is too large for this browser.');
    return started;
  }

  function stop(why: string): void {
    worker?.terminate();
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  }

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        worker ??= start();
        const number = asked++;
        waiting.set(number, { resolve, reject });
        worker.postMessage({ ...question, number } satisfies ReaderQuestion);
      }),
    stop,
  };
}
