import type { Logger } from '../logger.js';
import type { BlobStore } from './blob-store.js';
import { createFileBlobs } from './files/file-blobs.js';
import { restoringSetAside } from './restore-set-aside.js';
import type { S3Settings } from './s3/s3-settings.js';

export interface BlobStores {
  readonly dumps: BlobStore;
  readonly firmwares: BlobStore;
  close(): void;
}

/** Opens the stores for dumps and for firmware, on files or in a bucket, as configured. */
export async function openBlobStores({
  coredumpsDir,
  assetsDir,
  s3,
  log,
}: {
  /** With a bucket, the two folders only hold uploads in progress. */
  coredumpsDir: string;
  assetsDir: string;
  s3: S3Settings | null;
  log?: Logger;
}): Promise<BlobStores> {
  const logging = log === undefined ? {} : { log };
  if (s3 === null) {
    return {
      dumps: restoringSetAside(
        createFileBlobs({ root: coredumpsDir, setting: 'COREDUMPS_DIR', ...logging }),
        log,
      ),
      firmwares: restoringSetAside(
        createFileBlobs({ root: assetsDir, setting: 'ASSETS_DIR', ...logging }),
        log,
      ),
      close() {},
    };
  }
  // Imported here, because the client is a large package that most installations do not use.
  const [{ createS3Bucket }, { createS3Blobs }] = await Promise.all([
    import('./s3/s3-bucket.js'),
    import('./s3/s3-blobs.js'),
  ]);
  const bucket = createS3Bucket(s3, logging);
  const inBucket = (prefix: string, spoolDir: string, spoolSetting: string) =>
    restoringSetAside(createS3Blobs({ bucket, prefix, spoolDir, spoolSetting, ...logging }), log);
  return {
    dumps: inBucket('coredumps/', coredumpsDir, 'COREDUMPS_DIR'),
    firmwares: inBucket('firmware/', assetsDir, 'ASSETS_DIR'),
    close: bucket.close,
  };
}
