/**
 * Aborted by the first SIGTERM or SIGINT. Call this first, so that a start can be stopped at any moment. A second
 * signal ends the process at once.
 */
export function listenForStop(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error('stopped by a signal'));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}
