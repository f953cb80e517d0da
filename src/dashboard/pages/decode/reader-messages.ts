import type { CoredumpKind, DecodedReportFragment } from '../../generated/graphql';

/** What the page asks the worker that reads crashes; a question has a crash, a firmware, or both. */
export interface ReaderQuestion {
  /** The answer has the same. */
  number: number;
  /** A core dump, a log or any text. */
  crash: Blob | null;
  firmware: GivenFirmware | null;
}

/** The firmware's ELF. The worker keeps the one that it opened last, by its key. */
export interface GivenFirmware {
  key: number;
  file: Blob;
}

export interface ReaderAnswer {
  number: number;
  crash: Outcome<Reading> | null;
  firmware: Outcome<FirmwareFacts> | null;
}

/** Or why there is none, in a sentence of the reader. */
export type Outcome<Value> = { value: Value } | { problem: string };

export interface Reading {
  /** What it was read from. */
  kind: CoredumpKind;
  report: DecodedReportFragment;
  /** The report as text, in the layout of `esp-coredump info_corefile`. */
  output: string;
}

/** What an ELF says of itself. */
export interface FirmwareFacts {
  /** Null without an application descriptor. */
  version: string | null;
  project: string | null;
  idfVersion: string | null;
  /** The chips that it can be for; the architecture where nothing says it. */
  chips: readonly string[];
  sha256: string;
  /** What reports made with it lack, one sentence each. */
  lacks: readonly string[];
}
