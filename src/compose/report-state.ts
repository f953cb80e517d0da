import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceManager } from '../platform/service-manager.js';
import { askReadiness } from './readiness.js';

/** How often systemd is told again, once the server is ready; before, every second. */
const EVERY_MS = 30_000;

/**
 * Tells systemd that the server is ready as soon as `/readyz` says so, what it lacks otherwise, and, for a watchdog, that
 * its event loop turns.
 *
 * @param stop ends this; the server has stopped
 */
export function reportState(
  manager: ServiceManager,
  address: { host: string; port: number },
  stop: AbortSignal,
): void {
  if (manager.watchdogMs !== null) {
    // Three times in the period, so that one late message does not end the server.
    const timer = setInterval(() => void manager.notify('WATCHDOG=1'), manager.watchdogMs / 3);
    stop.addEventListener('abort', () => clearInterval(timer), { once: true });
  }
  void tellReadiness();

  async function tellReadiness(): Promise<void> {
    let wasReady = false;
    let lastText = '';
    while (!stop.aborted) {
      const { isReady, text } = await askReadiness(address);
      if (stop.aborted) return;
      if (isReady && !wasReady) await manager.notify('READY=1', `STATUS=${text}`);
      else if (text !== lastText) await manager.notify(`STATUS=${text}`);
      wasReady ||= isReady;
      lastText = text;
      await pause(isReady ? EVERY_MS : 1_000, undefined, { signal: stop }).catch(() => {});
    }
  }
}
