import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Audit } from '../audit/service.js';
import { currentActor } from '../auth/actor.js';
import { identityOf } from '../auth/principal.js';
import { badInput, DomainError, naming, notFound } from '../errors.js';
import { type FoundBuild, isForOtherChip } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import type { Db } from '../platform/database/types.js';
import { makeFolder } from '../platform/files/durable-folder.js';
import { createRate } from '../platform/rate-limiter.js';
import { createSemaphore } from '../platform/semaphore.js';
import { kindOf, NAMES } from './kind.js';
import { limitedBytes } from './limited-bytes.js';
import { ownCodeRulesOf, withOwnCode } from './own-code.js';
import { withBuildWarnings } from './parse-result.js';
import { parserMissing } from './parser-missing.js';
import { NOTHING_SEEN, type Peeked, peek } from './peek-dump.js';
import type { BuildFinder } from './prepare-parse.js';
import type { SidecarAnswer, SidecarClient } from './sidecar-client.js';
import type { CoredumpKind, CoredumpText } from './types.js';

/** Crashes that are decoded at once, and that wait for it. */
const MAX_RUNNING = 2;
const MAX_WAITING = 20;
/** Of one person; where nobody signs in, of one address. */
const DECODES_PER_MINUTE = 30;

export interface DecodeRequest {
  body: AsyncIterable<Uint8Array>;
  /** The input that the bytes come from, for errors. */
  field: 'file' | 'text';
  /** Null: builds of all models. */
  modelCode: string | null;
  firmwareVersion: string | null;
  firmwareId: number | null;
  /** Only for a crash that does not name it. */
  chip: string | null;
}

/** What a crash says, of which nothing is stored. Not redacted. */
export interface DecodedCrash extends CoredumpText {
  kind: CoredumpKind;
  /** The build that it was read with. */
  firmware: Firmware | null;
}

export type Decode = ReturnType<typeof createDecode>;

/** Reads what a person has of a crash, with the builds of the server, and stores nothing of it. */
export function createDecode({ db, audit, builds, parser, maxBytes }: DecodeDeps) {
  const rate = createRate({ limit: DECODES_PER_MINUTE, windowSeconds: 60 });
  const slots = createSemaphore(MAX_RUNNING, { maxWaiting: MAX_WAITING });

  /**
   * @throws DomainError BAD_USER_INPUT (nothing of a crash, unreadable, a build that does not go with it), TOO_LARGE,
   *   NOT_FOUND (model, build), RATE_LIMITED, BUSY, PARSER_NOT_CONFIGURED, UNAVAILABLE
   */
  return async function decode(request: DecodeRequest): Promise<DecodedCrash> {
    if (parser === null) throw parserMissing();
    takePermit();
    const release = await slots.acquireUnless(new AbortController().signal);
    if (typeof release === 'string') {
      throw new DomainError('BUSY', `${MAX_WAITING} crashes wait to be decoded; try again.`);
    }
    const base = `coredock-decode-${randomBytes(9).toString('hex')}`;
    const [core, elf] = [`${base}.dmp`, `${base}.elf`].map((name) => join(parser.xferDir, name)) as [
      string,
      string,
    ];
    try {
      const bytes = await received(request).catch(naming(request.field));
      const peeked = peek(bytes);
      const look = typeof peeked === 'string' ? NOTHING_SEEN : peeked;
      const found = await buildFor(request, look);
      await note(found.firmware, look, bytes.length);
      await storageCall(makeFolder(parser.xferDir));
      await storageCall(writeFile(core, bytes));
      const firmware = found.firmware === null ? null : await copied(found.firmware, elf);
      const answer = await parser.sidecar.parse(
        { core: `${base}.dmp`, elf: firmware === null ? null : `${base}.elf`, chip: request.chip ?? 'auto' },
        NEVER,
      );
      const text = textOf(answer, request);
      const warned = warnedOf(text, { ...found, firmware, ...look }, request);
      const modelId = firmware?.modelId ?? found.modelId;
      const rules = modelId === null ? [] : await ownCodeRulesOf(db, modelId);
      const source = text.report?.source;
      return {
        kind: look.kind ?? (source === undefined ? 'CORE_DUMP' : kindOf(source)),
        firmware,
        ...withOwnCode(warned, rules),
      };
    } finally {
      release();
      await Promise.allSettled([core, elf].map((path) => rm(path, { force: true })));
    }
  };

  function takePermit(): void {
    const actor = currentActor();
    const name = actor === null || actor.person.via === 'open' ? actor?.address : identityOf(actor.person);
    const waitMs = rate.take(name ?? '');
    if (waitMs === null) return;
    throw new DomainError('RATE_LIMITED', `At most ${DECODES_PER_MINUTE} crashes a minute are decoded.`, {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
  }

  async function received({ body, field }: DecodeRequest): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of limitedBytes(body, maxBytes)) parts.push(part);
    const bytes = Buffer.concat(parts);
    if (bytes.length === 0) throw badInput(`The ${field} is empty.`, { field });
    return bytes;
  }

  async function buildFor(
    { modelCode, firmwareVersion, firmwareId, chip: toldChip }: DecodeRequest,
    { appElfSha256, dumpChip, ownVersion }: Peeked,
  ): Promise<FoundBuild & { modelId: number | null }> {
    const model = modelCode === null ? null : await db.deviceModel.findUnique({ where: { code: modelCode } });
    if (modelCode !== null && model === null)
      throw notFound('device model', modelCode, { field: 'modelCode' });
    const modelId = model?.id ?? null;
    const chip = dumpChip ?? toldChip;
    if (firmwareId !== null) await requireUsable(firmwareId, modelId, chip);
    const found = await builds.findBuild({
      modelId,
      version: firmwareVersion ?? ownVersion ?? '',
      chip,
      appElfSha256,
      chosenFirmwareId: firmwareId,
    });
    return { ...found, modelId };
  }

  async function requireUsable(id: number, modelId: number | null, chip: string | null): Promise<void> {
    const build = await db.firmware.findUnique({ where: { id }, select: { modelId: true, chip: true } });
    if (build === null) throw notFound('firmware', id, { field: 'firmwareId' });
    if (modelId !== null && build.modelId !== modelId) {
      throw badInput('The build is not of that model: leave out one of "modelCode" and "firmwareId".', {
        field: 'firmwareId',
      });
    }
    if (isForOtherChip(build, chip)) {
      throw badInput(
        `The build is for the chip ${build.chip}, the crash is from ${chip}: choose a build for that chip.`,
        { field: 'firmwareId' },
      );
    }
  }

  async function copied(firmware: Firmware, path: string): Promise<Firmware> {
    if ((await builds.copyElf(firmware, path)) !== null) return builds.examine(firmware, path);
    await builds.noteLostElf(firmware);
    throw new DomainError(
      'UNAVAILABLE',
      `The ELF of firmware ${firmware.version} is missing in the storage: upload the same ELF again.`,
    );
  }

  function note(firmware: Firmware | null, { kind }: Peeked, size: number): Promise<void> {
    const what = kind === null ? 'what may be a crash' : NAMES[kind];
    return audit.note({
      action: 'decodeCrash',
      ...(firmware === null ? {} : { targetType: 'Firmware' as const, targetId: firmware.id }),
      target: firmware === null ? what : firmware.version,
      detail: `${what}, ${size} bytes`,
    });
  }
}

const NEVER = new AbortController().signal;

/** @throws DomainError BAD_USER_INPUT, BUSY, UNAVAILABLE */
function textOf(answer: SidecarAnswer, { field }: DecodeRequest): CoredumpText {
  switch (answer.status) {
    case 'parsed':
      return answer;
    case 'no crash':
      if (answer.output !== null) return { output: answer.output, report: answer.report };
      throw badInput(answer.reason, { field });
    case 'unreadable':
      throw badInput(answer.reason, { field });
    case 'failed':
      throw new DomainError(
        answer.isAnswered ? 'UNAVAILABLE' : 'BUSY',
        `It was not decoded: ${answer.reason}.`,
      );
  }
}

function warnedOf(
  text: CoredumpText,
  prepared: FoundBuild & Peeked,
  { firmwareVersion, firmwareId }: DecodeRequest,
): CoredumpText {
  const { firmware, candidates } = prepared;
  if (firmware === null) return candidates.length === 0 ? text : ambiguous(text);
  const told = { firmwareVersion: firmwareVersion ?? firmware.version, chosenFirmwareId: firmwareId };
  return withBuildWarnings(text, { ...prepared, firmware }, told);
}

function ambiguous({ output, report }: CoredumpText): CoredumpText {
  const message = 'several models have a build of this version: name the model (modelCode).';
  const warnings = [{ code: 'SEVERAL_BUILDS' as const, message }, ...(report?.warnings ?? [])];
  return {
    output: `Warning: ${message}\n${output}`,
    report: report === null ? null : { ...report, warnings },
  };
}

interface DecodeDeps {
  db: Db;
  audit: Pick<Audit, 'note'>;
  builds: BuildFinder;
  /** Null where no sidecar is configured. */
  parser: { sidecar: Pick<SidecarClient, 'parse'>; xferDir: string } | null;
  maxBytes: number;
}
