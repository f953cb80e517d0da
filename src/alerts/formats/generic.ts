import type { AlertLinks } from '../links.js';
import type { Alert } from '../payload.js';

/**
 * Everything, as JSON. Its strings are data: the receiver escapes them for display. Fields are only ever added. A link
 * that is not known is left out.
 */
export function genericBody(alert: Alert, links: AlertLinks): string {
  const { crash } = alert;
  return JSON.stringify({
    ...alert,
    ...(crash === null || links.crash === null ? {} : { crash: { ...crash, url: links.crash } }),
    ...(links.main === null ? {} : { url: links.main }),
  });
}
