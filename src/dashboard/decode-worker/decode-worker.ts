/**
 * Reads crashes in the browser, away from the page, which stays usable meanwhile. It has no connection to anything: the
 * Content-Security-Policy of its file forbids every request (src/http/dashboard-assets.ts).
 */
import {
  type FirmwareImage,
  openFirmware,
  readCrashDump,
  UnreadableDump,
  UnreadableFirmware,
} from '../../crashdump/index.js';
import type {
  FirmwareFacts,
  GivenFirmware,
  Outcome,
  ReaderAnswer,
  ReaderQuestion,
  Reading,
} from '../pages/decode/reader-messages';
import { inCapitals, inTheFormOfTheApi } from './form-of-the-api';

self.addEventListener('message', (event: MessageEvent<ReaderQuestion>) => {
  void answer(event.data).then((told) => self.postMessage(told));
});

async function answer({ number, crash, firmware }: ReaderQuestion): Promise<ReaderAnswer> {
  const image = firmware === null ? null : await outcomeOf(() => open(firmware));
  return {
    number,
    crash: crash === null ? null : await outcomeOf(() => read(crash, image)),
    firmware:
      image === null || 'problem' in image ? image : await outcomeOf(async () => factsOf(image.value)),
  };
}

let opened: { key: number; image: FirmwareImage } | null = null;

async function open({ key, file }: GivenFirmware): Promise<FirmwareImage> {
  if (opened?.key === key) return opened.image;
  // Not both of them in memory.
  opened = null;
  opened = { key, image: openFirmware(await bytesOf(file)) };
  return opened.image;
}

async function read(crash: Blob, firmware: Outcome<FirmwareImage> | null): Promise<Reading> {
  const elf = firmware !== null && 'value' in firmware ? firmware.value : null;
  const { report, output } = readCrashDump({ core: await bytesOf(crash), elf });
  return { kind: inCapitals(report.source), report: inTheFormOfTheApi(report), output };
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

async function outcomeOf<Value>(make: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await make() };
  } catch (error) {
    if (error instanceof UnreadableDump || error instanceof UnreadableFirmware) {
      return { problem: error.message };
    }
    return { problem: `The reader has a fault and stopped here: ${error}. Please report it to Coredock.` };
  }
}

function factsOf(image: FirmwareImage): FirmwareFacts {
  const { appDescriptor, chips, machine, sha256 } = image;
  return {
    version: appDescriptor?.version || null,
    project: appDescriptor?.projectName || null,
    idfVersion: appDescriptor?.idfVersion || null,
    chips: chips.length === 0 ? [machine] : chips,
    sha256,
    lacks: image.lacks().map(({ message }) => message),
  };
}
