/** What `Buffer` is in the reader for browsers: see bundle-reader.mjs. */
export { Buffer } from 'buffer/';
