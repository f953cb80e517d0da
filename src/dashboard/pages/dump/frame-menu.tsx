import { Link } from 'wouter';
import type { FrameOnPageFragment } from '../../generated/graphql';
import { ForAdmins } from '../../session/role';

/** Leads from a frame to the rules about own code, with the frame's folder or function filled in. */
export function FrameMenu({ frame, modelCode }: { frame: FrameOnPageFragment; modelCode: string }) {
  const { function: name, file, index, isOwnCode } = frame;
  if (name == null) return null;
  const folder = file == null ? null : folderOf(file);
  const plain = name.replace(/(?<=.)\(.*$/s, '');
  const words = isOwnCode ? 'not own' : 'own';
  const link = (rule: 'PATH' | 'FUNCTION', pattern: string) =>
    `/firmware/${modelCode}?${new URLSearchParams({ rule, pattern, own: String(!isOwnCode) })}`;
  return (
    <ForAdmins>
      <details className="frame-menu">
        <summary aria-label={`Own code, for frame ${index}`} title="Own code">
          ⋯
        </summary>
        <ul>
          {folder !== null && (
            <li>
              <Link href={link('PATH', folder)}>
                Treat <b className="mono">{folder}</b> as {words} code
              </Link>
            </li>
          )}
          <li>
            <Link href={link('FUNCTION', plain)}>
              Treat <b className="mono">{plain}</b> as {words} code
            </Link>
          </li>
        </ul>
      </details>
    </ForAdmins>
  );
}

/** Of a component its folder, of an application `main`; else the file's folder. */
function folderOf(file: string): string | null {
  const path = file.replaceAll('\\', '/');
  const component = /(?:^|\/)((?:managed_components|components)\/[^/]+)\//.exec(path)?.[1];
  if (component !== undefined) return component;
  if (/(?:^|\/)main\//.test(path)) return 'main';
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || null : null;
}
