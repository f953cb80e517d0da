/**
 * Aborted by the first SIGTERM or SIGINT, from whenever this is called: to be called first of all, so that a start can
 * be stopped at any moment. A second signal is somebody who does not want to wait, and ends the process.
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
