/**
 * Aborted by the first SIGTERM or SIGINT. Call this first, so that a start can be stopped at any moment. A second
 * signal ends the process at once.
 */
export function listenForStop(): AbortSignal {
  const stop = new AbortController();
  const hear = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error('stopped by a signal'));
  };
  process.on('SIGTERM', hear);
  process.on('SIGINT', hear);
  return stop.signal;
}
