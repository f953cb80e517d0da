import parse from '../../src/sidecar/worker.js';
import { answerJson, aSidecar } from './sidecar.js';

/** A sidecar that reads as the bundled one does, in this process. */
export async function aReadingSidecar() {
  const sidecar: Awaited<ReturnType<typeof aSidecar>> = await aSidecar(
    ({ core, elf, chip }, response) => {
      const outcome = parse({
        xferDir: sidecar.xferDir,
        romElfDir: null,
        core,
        elf: elf === '' ? null : elf,
        chip,
      });
      if (outcome.status === 'parsed') return answerJson(response, 200, JSON.parse(outcome.body));
      if (outcome.status === 'no crash') return answerJson(response, 422, JSON.parse(outcome.body));
      answerJson(response, outcome.status === 'unreadable' ? 422 : 500, { error: outcome.reason });
    },
    { readsWithoutBuild: true },
  );
  return sidecar;
}
