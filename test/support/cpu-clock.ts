/** Milliseconds that this process has computed since: unlike a clock's, they do not grow when the machine is busy. */
export function cpuClock(): () => number {
  const begun = process.cpuUsage();
  return () => process.cpuUsage(begun).user / 1000;
}
