import { useRef, useState } from 'react';
import { useLive } from '../../api/live';
import { type BuildToUpload, type UploadedBuild, uploadFirmware } from '../../api/upload-firmware';

export interface Upload {
  id: number;
  filename: string;
  state:
    | { kind: 'sending'; share: number }
    | { kind: 'done'; build: UploadedBuild }
    | { kind: 'failed'; message: string };
}

type Label = Pick<BuildToUpload, 'version' | 'allowVersionMismatch'>;

/** The uploads that were started on this page, each with its progress and result. */
export function useFirmwareUploads(modelCode: string): {
  uploads: readonly Upload[];
  start(file: File, label: Label): void;
  cancel(id: number): void;
} {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const controllers = useRef(new Map<number, AbortController>());
  const { readAgain } = useLive();

  function become(id: number, state: Upload['state']): void {
    setUploads((all) => all.map((upload) => (upload.id === id ? { ...upload, state } : upload)));
  }

  async function send(id: number, file: File, label: Label): Promise<void> {
    const controller = new AbortController();
    controllers.current.set(id, controller);
    try {
      const build = await uploadFirmware(
        { modelCode, bundle: file, ...label },
        { onProgress: (share) => become(id, { kind: 'sending', share }), signal: controller.signal },
      );
      become(id, { kind: 'done', build });
      readAgain();
    } catch (error) {
      become(id, { kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    } finally {
      controllers.current.delete(id);
    }
  }

  return {
    uploads,
    start(file, label) {
      const id = nextId++;
      setUploads((all) => [{ id, filename: file.name, state: { kind: 'sending', share: 0 } }, ...all]);
      void send(id, file, label);
    },
    cancel: (id) => controllers.current.get(id)?.abort(),
  };
}

let nextId = 1;
