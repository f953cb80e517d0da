import type { CoredumpRow, ParseStatus } from './types.js';

/** The columns that long lists show. The other columns are most of a row's bytes. */
export const LISTED_COLUMNS = [
  'id',
  'deviceId',
  'filename',
  'chip',
  'firmwareVersion',
  'size',
  'parseStatus',
  'uploadedAt',
] as const satisfies ReadonlyArray<keyof CoredumpRow>;

/** A row that was read for a list. Reading a column that was not selected throws: that is a bug. */
export class ListedDump implements CoredumpRow {
  readonly id: number;
  readonly deviceId: number;
  readonly filename: string;
  readonly chip: string;
  readonly firmwareVersion: string;
  readonly size: number;
  readonly parseStatus: ParseStatus;
  readonly uploadedAt: Date;

  constructor(row: Pick<CoredumpRow, (typeof LISTED_COLUMNS)[number]>) {
    this.id = row.id;
    this.deviceId = row.deviceId;
    this.filename = row.filename;
    this.chip = row.chip;
    this.firmwareVersion = row.firmwareVersion;
    this.size = row.size;
    this.parseStatus = row.parseStatus;
    this.uploadedAt = row.uploadedAt;
  }

  get firmwareId(): never {
    return notRead('firmwareId');
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
