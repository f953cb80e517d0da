const WIDTH = 90;
const HEIGHT = 18;

/** A group's crashes of the last days, as a small chart. */
export function Sparkline({ counts }: { counts: readonly number[] }) {
  const highest = Math.max(1, ...counts);
  const step = WIDTH / Math.max(1, counts.length);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      {counts.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, (count / highest) * HEIGHT);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={index}
            data-none={count === 0}
            x={index * step}
            y={HEIGHT - height}
            width={step * 0.7}
            height={height}
          />
        );
      })}
    </svg>
  );
}
