import { graphql } from '../generated';
import type { HitInBoxFragment, SearchKind } from '../generated/graphql';

graphql(`
  fragment HitInBox on SearchHit {
    node {
      __typename
      ... on Device { id key serial name model { id code } }
      ... on DeviceModel { id code modelName: name }
      ... on Firmware { id version elfSha256 model { id code } }
      ... on CrashGroup { id title crashCount: count state }
      ... on Coredump { id filename crashVersion crashReason: reason device { id key name } }
    }
    snippet { text isMatch }
  }
`);

export const KIND_NAMES: Readonly<Record<SearchKind, string>> = {
  DEVICE: 'Devices',
  DEVICE_MODEL: 'Models',
  FIRMWARE: 'Builds',
  CRASH_GROUP: 'Crash groups',
  COREDUMP: 'Dumps',
};

/** A hit as a line: where it leads, and what is said of it. */
export interface ShownHit {
  path: string;
  title: string;
  detail: string;
}

/** @returns null for what was deleted a moment ago, and for kinds of a newer server */
export function shownHit({ node, snippet }: HitInBoxFragment): ShownHit | null {
  switch (node?.__typename) {
    case 'Device': {
      const { key, serial, name, model } = node;
      const others = [serial, key].filter((text) => text != null && text !== (name ?? serial ?? key));
      return {
        path: `/devices/${key}`,
        title: name ?? serial ?? key,
        detail: [model.code, ...others].join(' · '),
      };
    }
    case 'DeviceModel':
      return { path: `/firmware/${node.code}`, title: node.modelName, detail: node.code };
    case 'Firmware':
      return {
        path: `/firmware/${node.model.code}`,
        title: `${node.model.code} ${node.version}`,
        detail: `ELF ${node.elfSha256.slice(0, 16)}`,
      };
    case 'CrashGroup':
      return {
        path: `/groups/${encodeURIComponent(node.id)}`,
        title: node.title,
        detail: `${node.crashCount.toLocaleString('en')} × ${node.state.toLowerCase()}`,
      };
    case 'Coredump':
      return {
        path: `/dumps/${encodeURIComponent(node.id)}`,
        title: node.crashReason?.split('\n')[0] ?? node.filename,
        detail:
          snippet
            .map(({ text }) => text)
            .join('')
            .trim() || `${node.device.name ?? node.device.key} · ${node.crashVersion} · ${node.filename}`,
      };
    default:
      return null;
  }
}

/** "7", or "100+" where not all were counted. */
export function countOf(count: number, hasMore: boolean): string {
  return `${count}${hasMore ? '+' : ''}`;
}
