/** What a PromQL expression reads: a metric, the labels that are named with it, and the values that those must have. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly values: ReadonlyArray<readonly [label: string, value: string]>;
}

const WORDS = /^(and|or|unless|by|without|on|ignoring|offset|bool|Inf|NaN)$/;
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;

/** Of the expressions of our rules and panels, not of all PromQL: aggregations are `sum by (…) (…)`. */
export function selectorsIn(expr: string): Selector[] {
  const grouped = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.trim()),
  );
  const plain = expr.replaceAll(/\b(by|without)\s*\([^)]*\)/g, ' ').replaceAll(/\[[^\]]*\]/g, ' ');
  return [...plain.matchAll(/(?<!\w)([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\w)(\s*\()?/g)]
    .filter(([, name = '', , call]) => call === undefined && !WORDS.test(name))
    .map(([, metric = '', matchers = '']) => {
      const found = [...matchers.matchAll(MATCHER)];
      return {
        metric,
        labels: [...found.map(([, label = '']) => label), ...grouped],
        values: found.flatMap(([, label = '', , value = '']) =>
          value.startsWith('$') ? [] : value.split('|').map((one) => [label, one] as const),
        ),
      };
    });
}

/** The samples of each metric of `/metrics`, by the name that a query uses. */
export function metricsIn(text: string): Map<string, string[]> {
  const metrics = new Map<string, string[]>();
  for (const [, type = '', kind = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    for (const name of kind === 'histogram' ? [`${type}_bucket`, `${type}_sum`, `${type}_count`] : [type]) {
      metrics.set(
        name,
        [...text.matchAll(new RegExp(`^${name}(?:\\{.*)? .*$`, 'gm'))].map(([line]) => line),
      );
    }
  }
  return metrics;
}

/** The labels of some samples, with the values that they have there. */
export function labelsIn(samples: readonly string[]): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>();
  for (const sample of samples) {
    for (const [, label = '', value = ''] of sample.matchAll(/(\w+)="([^"]*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return labels;
}
