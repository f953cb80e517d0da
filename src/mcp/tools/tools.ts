import type { Tool } from '../tool.js';
import { getCrash, listCrashes } from './crashes.js';
import { compareVersions, listModels, missingFirmwares, search } from './fleet.js';
import { getCrashGroup, listCrashGroups } from './groups.js';

/** All tools, in the order in which an agent is told of them. None of them changes anything. */
export const TOOLS: readonly Tool[] = [
  listCrashGroups,
  getCrashGroup,
  listCrashes,
  getCrash,
  search,
  compareVersions,
  missingFirmwares,
  listModels,
];
