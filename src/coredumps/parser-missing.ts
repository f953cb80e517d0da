import { DomainError } from '../errors.js';

/** Nothing is parsed in this installation. */
export function parserMissing(): DomainError {
  return new DomainError(
    'PARSER_NOT_CONFIGURED',
    'No parser is configured: set PARSE_SIDECAR_URL and PARSE_SIDECAR_XFER_DIR and start again.',
  );
}
