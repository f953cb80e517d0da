import type { AttemptLimiter } from '../auth/attempt-limiter.js';
import { shareTokenIn } from '../auth/share-token.js';
import type { ShareLinkService } from '../coredumps/share-links.js';
import type { ClientAddress } from '../platform/http/client-address.js';
import { sendJson } from '../platform/http/send-json.js';
import type { Exchange } from './exchange.js';

/**
 * `GET /api/shared` with the token of a share link: the one crash that it shows. Nobody has to be signed in, with
 * authentication on or off. The token is in a header, so that no log and no other site learns it.
 */
export function createSharedCrashRoute({
  shareLinks,
  attemptLimiter,
  clientAddress,
}: {
  shareLinks: Pick<ShareLinkService, 'open'>;
  attemptLimiter: AttemptLimiter;
  clientAddress: ClientAddress;
}) {
  return async function sharedCrash({
    request,
    response,
  }: Pick<Exchange, 'request' | 'response'>): Promise<void> {
    response.setHeader('X-Robots-Tag', 'noindex');
    const token = shareTokenIn(request.headers.authorization);
    const crash = await attemptLimiter.watch(clientAddress(request), () => shareLinks.open(token));
    sendJson(response, 200, crash);
  };
}
