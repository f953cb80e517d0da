import { withBase } from '../base-path';

export interface UploadedBuild {
  version: string;
  elfSha256: string;
  /** What the ELF lacks. */
  warnings: readonly { code: string; message: string }[];
}

const MUTATION = `mutation UploadFirmware(
  $model: String!, $bundle: Upload!, $version: String, $allowVersionMismatch: Boolean
) {
  uploadFirmware(input: {
    modelCode: $model, bundle: $bundle, version: $version, allowVersionMismatch: $allowVersionMismatch
  }) { firmware { version elfSha256 warnings { code message } } }
}`;

/** What to send, and under which version; null: the version in the bundle. */
export interface BuildToUpload {
  modelCode: string;
  bundle: File;
  version: string | null;
  /** The version may differ from that in the ELF. */
  allowVersionMismatch: boolean;
}

/**
 * Sends a bundle as a GraphQL multipart request. Uses XMLHttpRequest, because fetch does not report the progress of an
 * upload.
 *
 * @throws Error with a sentence for people
 */
export function uploadFirmware(
  { modelCode, bundle, version, allowVersionMismatch }: BuildToUpload,
  { onProgress, signal }: { onProgress: (share: number) => void; signal: AbortSignal },
): Promise<UploadedBuild> {
  const form = new FormData();
  const variables = { model: modelCode, bundle: null, version, allowVersionMismatch };
  form.set('operations', JSON.stringify({ query: MUTATION, variables }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  form.set('bundle', bundle);

  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total);
    request.onerror = () => reject(new Error('The connection broke before the whole file was sent.'));
    request.onabort = () => reject(new Error('The upload was cancelled.'));
    request.onload = () => {
      try {
        resolve(buildOf(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.open('POST', withBase('/graphql'));
    request.send(form);
  });
}

interface Answer {
  data?: { uploadFirmware: { firmware: UploadedBuild } | null } | null;
  errors?: { message: string }[];
}

function buildOf(status: number, text: string): UploadedBuild {
  const { data, errors } = answerOf(status, text);
  if (data?.uploadFirmware == null)
    throw new Error(errors?.[0]?.message ?? 'The server’s answer could not be read.');
  return data.uploadFirmware.firmware;
}

/** @throws Error when the answer is not of the server: reverse proxies refuse by pages of their own */
function answerOf(status: number, text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Error(
      status === 413
        ? 'The reverse proxy in front of Coredock refuses a body of this size (413). Its limit must be raised: with nginx, client_max_body_size.'
        : `Something in front of Coredock has answered ${status}, perhaps a reverse proxy: see its log.`,
    );
  }
}
