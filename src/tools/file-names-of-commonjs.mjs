/** What `__filename` and `__dirname` are in the bundle, whose modules are ES modules: see bundle-program.mjs. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const __filename = fileURLToPath(import.meta.url);
export const __dirname = dirname(__filename);
