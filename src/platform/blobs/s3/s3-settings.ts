/** Where a bucket is, and who we are there. */
export interface S3Settings {
  readonly bucket: string;
  /** Null for AWS itself. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null to look for them where AWS's own tools do: environment, profile, role of the machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** The bucket in the path of addresses rather than in the name of the host. */
  readonly forcePathStyle: boolean;
}
