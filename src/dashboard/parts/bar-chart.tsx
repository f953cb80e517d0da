import { type CSSProperties, type KeyboardEvent, useRef, useState } from 'react';
import { type ChartColumn, OTHERS, ticksUpTo } from './chart-columns';
import { CRASHES, countOf, type Formats, formatsOf, type Noun, textOf, totalOf } from './chart-texts';
import { TIME_ZONE } from './time-zone';

/** More labels under the columns would touch each other. */
const MAX_LABELS = 6;

interface BarChartProps {
  columns: readonly ChartColumn[];
  by: 'DAY' | 'HOUR';
  /** What is counted: "Crashes a day, last 30 days". */
  label: string;
  /** Columns can be chosen: by a click, a touch, or Enter. */
  onSelect?: ((column: ChartColumn) => void) | undefined;
  /** The start of the column that is chosen now. */
  selected?: string | undefined;
  /** What is counted; crashes when left out. */
  noun?: Noun;
  /** The zone in which the columns begin; the reader's when left out. */
  timeZone?: string;
  /** Names of the legend can be chosen. */
  onSelectName?: ((name: string) => void) | undefined;
}

/**
 * Counts over time, in the reader's time zone: stacked columns with ticks, a legend, and a tooltip by mouse, touch and
 * keyboard (arrow keys). The same numbers are in a table.
 */
export function BarChart({
  columns,
  by,
  label,
  onSelect,
  selected,
  noun = CRASHES,
  timeZone = TIME_ZONE,
  onSelectName,
}: BarChartProps) {
  const formats = formatsOf(by, timeZone);
  const names = namesOf(columns);
  const totals = columns.map(totalOf);
  const ticks = ticksUpTo(Math.max(0, ...totals));
  const top = ticks.at(-1) ?? 1;
  const total = totals.reduce((sum, count) => sum + count, 0);
  return (
    <figure className="chart">
      <div className="chart-scale" aria-hidden="true">
        {[...ticks].reverse().map((tick) => (
          <span key={tick} style={{ bottom: `${(tick / top) * 100}%` }}>
            {tick.toLocaleString('en')}
          </span>
        ))}
      </div>
      <Plot
        {...{ columns, formats, noun, names, ticks, top, onSelect, selected }}
        label={`${label}: ${total} in all`}
      />
      <Labels columns={columns} formats={formats} />
      <figcaption className="chart-caption">
        {names.length > 1 && <Legend names={names} onSelectName={onSelectName} />}
        {columns.some(({ isGap }) => isGap === true) && (
          <span className="chart-key">
            <span className="chart-swatch" data-gap="true" aria-hidden="true" /> no data
          </span>
        )}
        <span>Time zone: {timeZone}</span>
      </figcaption>
      <Table {...{ columns, by, label, names, formats }} />
    </figure>
  );
}

interface PlotProps extends Pick<BarChartProps, 'columns' | 'label' | 'onSelect' | 'selected'> {
  formats: Formats;
  noun: Noun;
  names: readonly string[];
  ticks: readonly number[];
  top: number;
}

function Plot({ columns, formats, noun, label, names, ticks, top, onSelect, selected }: PlotProps) {
  const plot = useRef<HTMLDivElement>(null);
  /** The column that Tab leads to, and the one whose tooltip is shown. */
  const [current, setCurrent] = useState<number | null>(null);
  const [shown, setShown] = useState<number | null>(null);
  const focusable = Math.min(current ?? columns.length - 1, columns.length - 1);

  function move(event: KeyboardEvent) {
    if (event.key === 'Escape' && shown !== null) {
      event.preventDefault();
      setShown(null);
    }
    const next = { ArrowLeft: focusable - 1, ArrowRight: focusable + 1, Home: 0, End: columns.length - 1 }[
      event.key
    ];
    if (next === undefined || columns[next] === undefined) return;
    event.preventDefault();
    plot.current?.querySelectorAll<HTMLElement>('.chart-column')[next]?.focus();
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a chart
    <div
      ref={plot}
      className="chart-plot"
      role="group"
      aria-label={label}
      onKeyDown={move}
      // A finger leaves when it is lifted, which is when the tooltip is read.
      onPointerLeave={({ pointerType }) => pointerType !== 'touch' && setShown(null)}
    >
      {ticks.map((tick) => (
        <span key={tick} className="chart-line" style={{ bottom: `${(tick / top) * 100}%` }} />
      ))}
      {columns.map((column, index) => {
        const props = {
          className: 'chart-column',
          tabIndex: index === focusable ? 0 : -1,
          'aria-label': textOf(column, formats, noun),
          'data-gap': column.isGap === true,
          onFocus: () => {
            setCurrent(index);
            setShown(index);
          },
          onBlur: () => setShown(null),
          onPointerEnter: () => setShown(index),
        };
        return onSelect === undefined ? (
          <div key={column.at} role="img" {...props}>
            <Parts column={column} names={names} top={top} />
          </div>
        ) : (
          <button
            key={column.at}
            type="button"
            {...props}
            aria-pressed={column.at === selected}
            onClick={() => onSelect(column)}
          >
            <Parts column={column} names={names} top={top} />
          </button>
        );
      })}
      {shown !== null && columns[shown] !== undefined && (
        <Tooltip column={columns[shown]} {...{ formats, noun, names }} at={(shown + 0.5) / columns.length} />
      )}
    </div>
  );
}

function Parts({ column, names, top }: { column: ChartColumn; names: readonly string[]; top: number }) {
  return (
    <span className="chart-stack" style={{ height: `${(totalOf(column) / top) * 100}%` }}>
      {column.parts.map(({ name, count }) => (
        <span key={name} data-series={seriesOf(name, names)} style={{ flexGrow: count }} />
      ))}
    </span>
  );
}

/** For the eyes: screen readers read the column's own label. */
function Tooltip({
  column,
  formats,
  noun,
  names,
  at,
}: {
  column: ChartColumn;
  formats: Formats;
  noun: Noun;
  names: readonly string[];
  at: number;
}) {
  const side: CSSProperties = at < 0.5 ? { left: `${at * 100}%` } : { right: `${(1 - at) * 100}%` };
  return (
    <div className="chart-tooltip" style={side} aria-hidden="true">
      <b>{formats.whole.format(new Date(column.at))}</b>
      {names.length > 1 &&
        column.parts.map(({ name, count }) => (
          <span key={name} className="chart-key">
            <span className="chart-swatch" data-series={seriesOf(name, names)} /> {name}
            <span className="number">{count.toLocaleString('en')}</span>
          </span>
        ))}
      <span>{column.isGap === true ? 'no data' : countOf(column, noun)}</span>
    </div>
  );
}

function Labels({ columns, formats }: { columns: readonly ChartColumn[]; formats: Formats }) {
  const step = Math.max(1, Math.ceil(columns.length / MAX_LABELS));
  return (
    <div className="chart-labels" aria-hidden="true">
      {columns.map(({ at }, index) =>
        (columns.length - 1 - index) % step === 0 ? (
          <span key={at} style={{ left: `${((index + 0.5) / columns.length) * 100}%` }}>
            {formats.tick.format(new Date(at))}
          </span>
        ) : null,
      )}
    </div>
  );
}

function Legend({
  names,
  onSelectName,
}: {
  names: readonly string[];
  onSelectName: BarChartProps['onSelectName'];
}) {
  return (
    <ul className="chart-legend" aria-label="Legend">
      {names.map((name) => {
        const swatch = (
          <span className="chart-swatch" data-series={seriesOf(name, names)} aria-hidden="true" />
        );
        return (
          <li key={name} className="chart-key">
            {onSelectName === undefined || name === OTHERS ? (
              <>
                {swatch} {name}
              </>
            ) : (
              <button type="button" className="chart-name" onClick={() => onSelectName(name)}>
                {swatch} {name}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Table({
  columns,
  by,
  label,
  names,
  formats,
}: Pick<BarChartProps, 'columns' | 'by' | 'label'> & { names: readonly string[]; formats: Formats }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <div className="table-scroll">
          <table>
            <caption className="visually-hidden">{label}</caption>
            <thead>
              <tr>
                <th scope="col">{by === 'DAY' ? 'Day' : 'Hour'}</th>
                {names.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {columns.map((column) => (
                <tr key={column.at}>
                  <th scope="row">{formats.whole.format(new Date(column.at))}</th>
                  {names.map((name) => (
                    <td key={name}>
                      {column.isGap === true
                        ? 'no data'
                        : (column.parts.find((part) => part.name === name)?.count ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** In the order in which they are stacked; the others last. */
function namesOf(columns: readonly ChartColumn[]): string[] {
  const sums = new Map<string, number>();
  for (const { name, count } of columns.flatMap(({ parts }) => parts)) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  const rank = (name: string) => (name === OTHERS ? -1 : (sums.get(name) ?? 0));
  return [...sums.keys()].sort((a, b) => rank(b) - rank(a));
}

/** The number of its colour; the others have one of their own. */
function seriesOf(name: string, names: readonly string[]): string {
  return name === OTHERS ? OTHERS : String((names.indexOf(name) % 6) + 1);
}
