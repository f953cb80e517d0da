import { assertRevision, assertVersion, type VersionClaim } from './version.js';

/** What the uploader says about the build. */
export interface Statement {
  claims: VersionClaim[];
  allowMismatch: boolean;
  revision: string | null;
}

interface Stated {
  version?: string | null | undefined;
  revision?: string | null | undefined;
  allowVersionMismatch?: boolean | undefined;
}

/** Checked before a long upload rather than after it. @throws DomainError BAD_USER_INPUT */
export function statementOf(stated: Stated): Statement {
  const { version, revision = null, allowVersionMismatch } = stated;
  const claims = version == null ? [] : [{ version, from: 'the argument "version"' }];
  for (const claim of claims) assertVersion(claim, 'version');
  if (revision !== null) assertRevision(revision);
  return { claims, allowMismatch: allowVersionMismatch === true, revision };
}
