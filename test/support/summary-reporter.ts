import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const SLOWEST = 10;

/** Says at the end of a run where its time went, and what it did not test. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = [...slowestOf(modules), ...skippedOf(modules)];
    if (lines.length > 0) process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

function slowestOf(modules: readonly TestModule[]): string[] {
  if (modules.length <= SLOWEST) return [];
  const times = modules
    .map((module) => ({ name: nameOf(module), ms: timeOf(module) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST);
  return [
    'Slowest files:',
    ...times.map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${name}`),
  ];
}

function timeOf(module: TestModule): number {
  const { collectDuration, duration, prepareDuration, setupDuration } = module.diagnostic();
  return collectDuration + duration + prepareDuration + setupDuration;
}

function skippedOf(modules: readonly TestModule[]): string[] {
  const counts = new Map<string, number>();
  for (const module of modules) {
    // Whoever asked for some tests by their names knows of the others.
    if (module.project.config.testNamePattern !== undefined) continue;
    for (const test of module.children.allTests('skipped')) {
      const reason = reasonOf(test);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  return [...counts].map(
    ([reason, count]) => `SKIPPED: ${count === 1 ? '1 test' : `${count} tests`}: ${reason}`,
  );
}

/** What the test says itself, or else its name and those around it, in which a skipped test tells its reason. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const [, skipped, needed] = /\((?:skipped:? ([^)]*)|((?:needs|no) [^)]*))\)/.exec(test.fullName) ?? [];
  return note ?? skipped ?? needed ?? `${nameOf(test.module)}: ${test.fullName}`;
}

function nameOf(module: TestModule): string {
  return `${module.project.name}: ${relative(module.project.config.root, module.moduleId)}`;
}
