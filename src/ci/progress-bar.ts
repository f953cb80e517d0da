const WIDTH = 30;

/** A progress bar on a terminal; silent elsewhere, to keep logs of CI clean. */
export function createProgressBar(stream: NodeJS.WritableStream & { isTTY?: boolean }, total: number) {
  if (stream.isTTY !== true) return { add(_bytes: number) {}, end() {} };
  let sent = 0;
  let drawn = -1;
  return {
    add(bytes: number): void {
      sent += bytes;
      const percent = total === 0 ? 100 : Math.floor((sent / total) * 100);
      if (percent === drawn) return;
      drawn = percent;
      const filled = Math.round((percent / 100) * WIDTH);
      stream.write(`\r[${'#'.repeat(filled).padEnd(WIDTH, '.')}] ${percent} % of ${kib(total)} KiB`);
    },
    end(): void {
      if (drawn >= 0) stream.write('\n');
    },
  };
}

function kib(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
