import type { CoredumpColumns, CoredumpRow, ParseErrorKind, ParseStatus } from './types.js';

/** The columns that long lists show. The other columns are most of a row's bytes. */
export const LISTED_COLUMNS = [
  'id',
  'deviceId',
  'firmwareId',
  'filename',
  'chip',
  'firmwareVersion',
  'crashVersion',
  'size',
  'parseStatus',
  'parseErrorKind',
  'uploadedAt',
] as const satisfies ReadonlyArray<keyof CoredumpRow>;

/** What a report says of the crash, and what else lists may show beside it. */
const CRASH_ONLY = [
  'kind',
  'crashKind',
  'crashedTask',
  'reason',
  'updatedAt',
] as const satisfies ReadonlyArray<keyof CoredumpRow>;

/** The columns of a list that shows crashes. */
export const CRASH_COLUMNS = [...LISTED_COLUMNS, ...CRASH_ONLY];

/** A row that was read for a list. Reading a column that was not selected throws: that is a bug. */
export class ListedDump implements CoredumpRow {
  readonly id: number;
  readonly deviceId: number;
  readonly firmwareId: number | null;
  readonly filename: string;
  readonly chip: string;
  readonly firmwareVersion: string;
  readonly crashVersion: string;
  readonly size: number;
  readonly parseStatus: ParseStatus;
  readonly parseErrorKind: ParseErrorKind | null;
  readonly uploadedAt: Date;
  readonly #crash: Pick<CoredumpRow, (typeof CRASH_ONLY)[number]> | null;

  /** @param columns the columns of the row that were read */
  constructor(row: CoredumpRow, columns: Exclude<CoredumpColumns, 'all'>) {
    this.id = row.id;
    this.deviceId = row.deviceId;
    this.firmwareId = row.firmwareId;
    this.filename = row.filename;
    this.chip = row.chip;
    this.firmwareVersion = row.firmwareVersion;
    this.crashVersion = row.crashVersion;
    this.size = row.size;
    this.parseStatus = row.parseStatus;
    this.parseErrorKind = row.parseErrorKind;
    this.uploadedAt = row.uploadedAt;
    this.#crash = columns === 'crash' ? row : null;
  }

  get kind() {
    return (this.#crash ?? notRead('kind')).kind;
  }
  get crashKind() {
    return (this.#crash ?? notRead('crashKind')).crashKind;
  }
  get crashedTask() {
    return (this.#crash ?? notRead('crashedTask')).crashedTask;
  }
  get reason() {
    return (this.#crash ?? notRead('reason')).reason;
  }
  get updatedAt() {
    return (this.#crash ?? notRead('updatedAt')).updatedAt;
  }

  get chosenFirmwareId(): never {
    return notRead('chosenFirmwareId');
  }
  get sha256(): never {
    return notRead('sha256');
  }
  get parseAttempts(): never {
    return notRead('parseAttempts');
  }
  get parseGeneration(): never {
    return notRead('parseGeneration');
  }
  get appElfSha256(): never {
    return notRead('appElfSha256');
  }
  get dumpChip(): never {
    return notRead('dumpChip');
  }
  get fingerprint(): never {
    return notRead('fingerprint');
  }
  get parsedAt(): never {
    return notRead('parsedAt');
  }
}

function notRead(column: keyof CoredumpRow): never {
  throw new Error(`the column ${column} of a dump was not read`);
}
