import * as z from 'zod';

export interface Advisory {
  package: string;
  /** `GHSA-…` */
  id: string;
  severity: string;
  title: string;
}

/** An advisory that is accepted for a reason and until a date. */
const allowance = z.strictObject({
  advisory: z.string().regex(/^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/, 'is no id like GHSA-xxxx-xxxx-xxxx'),
  package: z.string().min(1),
  reason: z.string().min(20, 'must say, in a sentence, why this does no harm here'),
  /** The date of the next review. */
  until: z.iso.date(),
});

type Allowance = z.infer<typeof allowance>;

/** The complete entries, and a line for each incomplete one. */
export function readAllowances(list: unknown): { entries: Allowance[]; problems: string[] } {
  const parsed = z.array(allowance).safeParse(list);
  if (parsed.success) return { entries: parsed.data, problems: [] };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `audit-allow.json: ${path.join('.')} ${message}`,
  );
  return { entries: [], problems };
}

const auditReport = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      name: z.string(),
      via: z.array(
        z.union([z.string(), z.object({ url: z.string(), severity: z.string(), title: z.string() })]),
      ),
    }),
  ),
});

/** @returns null when it is not the output of `npm audit --json`, for example without an answer of the registry */
export function readAudit(report: unknown): Advisory[] | null {
  const parsed = auditReport.safeParse(report);
  if (!parsed.success) return null;
  return Object.values(parsed.data.vulnerabilities).flatMap(({ name, via }) =>
    via.flatMap((cause) => {
      // A string names another package of the report, which has the advisory itself.
      if (typeof cause === 'string') return [];
      const { url, severity, title } = cause;
      return [{ package: name, id: url.split('/').at(-1) ?? url, severity, title }];
    }),
  );
}

/** @returns a line for each advisory without an entry, and for each entry that has expired or is not needed any more */
export function findProblems(
  advisories: readonly Advisory[],
  allowed: readonly Allowance[],
  today: Date,
): string[] {
  const isFor = (entry: Allowance, { id, package: name }: Advisory) =>
    entry.advisory === id && entry.package === name;
  const isOver = ({ until }: Allowance) => new Date(until) < today;
  return [
    ...advisories
      .filter((advisory) => !allowed.some((entry) => isFor(entry, advisory)))
      .map(
        ({ package: name, id, severity, title }) =>
          `${name}: ${title} (${severity}, ${id}). Update it, or explain in audit-allow.json why it does no harm here.`,
      ),
    ...allowed
      .filter(isOver)
      .map(
        ({ package: name, advisory, until }) =>
          `audit-allow.json: ${advisory} of ${name} was allowed until ${until}; review it.`,
      ),
    ...allowed
      .filter((entry) => !isOver(entry) && !advisories.some((advisory) => isFor(entry, advisory)))
      .map(
        ({ package: name, advisory }) =>
          `audit-allow.json: ${advisory} of ${name} is not reported any more; remove its entry.`,
      ),
  ];
}

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })),
});
const packageFile = z.object({ allowScripts: z.record(z.string(), z.boolean()).default({}) });

/** Packages with an install script about which package.json has no decision. */
export function unknownInstallScripts(lock: unknown, manifest: unknown): string[] {
  const { allowScripts } = packageFile.parse(manifest);
  return Object.entries(lockFile.parse(lock).packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
    .filter((name) => !(name in allowScripts))
    .map((name) => `${name} has an install script; decide about it in package.json, allowScripts.`);
}
