/** Address of a bucket, and the credentials for it. */
export interface S3Settings {
  readonly bucket: string;
  /** Null for AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: use AWS's default sources: environment, profile, role of the machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** The bucket is in the URL's path instead of in the host name. */
  readonly forcePathStyle: boolean;
}
